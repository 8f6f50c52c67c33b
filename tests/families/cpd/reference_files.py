"""Reference files and the weights that their recipes describe."""

from pathlib import Path

import numpy as np

FOLDER = Path(__file__).parents[2] / "reference" / "cpd"


def arrays_of(name):
    with np.load(FOLDER / f"{name}.npz") as file:
        return {key: file[key] for key in file.files}


def state_of(arrays, prefix=""):
    """The weights by torch name."""
    random = np.random.RandomState(int(arrays[f"{prefix}recipe/seed"]))
    state = {}
    for name, shape in zip(arrays[f"{prefix}recipe/names"], arrays[f"{prefix}recipe/shapes"], strict=True):
        n = random.standard_normal([int(size) for size in shape if size])
        if n.ndim > 1:
            n *= np.sqrt(2 / np.prod(n.shape[1:]))
        elif name.endswith("running_var"):
            n = np.exp(0.1 * n)
        else:
            n = 0.1 * n + name.endswith("weight")
        state[str(name)] = n.astype("float32")
    check = [(value.mean(), value.std(), value.flat[0], value.flat[-1]) for value in state.values()]
    np.testing.assert_allclose(check, arrays[f"{prefix}recipe/check"], rtol=1e-4, atol=1e-6)
    return state


def batch_of(arrays):
    x, y = (arrays[letter].transpose(0, 2, 3, 1).astype("float32") / 255 for letter in "xy")
    return {"x": x, "action": arrays["action"], "y": y}
