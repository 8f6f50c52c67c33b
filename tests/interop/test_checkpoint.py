"""Checkpoints of the authors' code become models with the same numbers, and nothing in a file is executed."""

import contextlib
import io
import zipfile

import numpy as np
import pytest

from tests.cases import check_all_moved, check_same, compile_with_adam, numbers, weights_of
from tests.families.tsdsae.test_reference import (
    CLOSE,
    FILES,
    STAGES,
    SWAPS,
    TERMS,
    arrays_of,
    permutations_of,
    state_of,
)
from tests.fuzzing import answer, little_memory
from tests.interop.torch_files import WRITERS, Made, write_bytes
from tsdsae_keras.base.loading import load_model
from tsdsae_keras.errors import InputError
from tsdsae_keras.families.tsdsae.interop.import_checkpoint import import_checkpoint
from tsdsae_keras.families.tsdsae.interop.reference import from_reference_state
from tsdsae_keras.families.tsdsae.model import SWAP_TERMS
from tsdsae_keras.interop.torch_files import read_checkpoint
from tsdsae_keras.process import log_to_stdout

STATE = state_of(arrays_of(FILES[0]), 1)


def checkpoint_of(state, **more):
    """What Lightning puts around a state."""
    audio = {"audio_synth.inverse_mel.fb": np.zeros((4, 3), "float32")}
    moments = {"exp_avg": np.ones(3, "float32"), "step": np.array(7)}
    return {
        "epoch": 312,
        "global_step": 5616,
        "pytorch-lightning_version": "1.6.1",
        "state_dict": audio | state,
        "callbacks": {"ModelCheckpoint{'monitor': 'val_loss'}": {"best_model_score": np.array(0.5)}},
        "optimizer_states": [{"state": {0: moments}, "param_groups": [{"lr": 1e-3, "betas": (0.9, 0.999)}]}],
        "lr_schedulers": [],
        **more,
    }


def omegaconf(value):
    """A value as OmegaConf pickles it: nodes that know their parents."""
    kinds = {dict: "dictconfig.DictConfig", list: "listconfig.ListConfig"}
    module, name = f"omegaconf.{kinds.get(type(value), 'nodes.AnyNode')}".rsplit(".", 1)
    about = Made("omegaconf.base", "ContainerMetadata", state={"ref_type": Made("typing", "Any", None)})
    if isinstance(value, dict):
        held = {"_content": {key: omegaconf(each) for key, each in value.items()}}
    else:
        held = {"_content": [omegaconf(each) for each in value]} if isinstance(value, list) else {"_val": value}
    return Made(module, name, state={"_metadata": about, "_parent": None, **held})


def settings_of(name, **more):
    return {"model": omegaconf({"_target_": f"src.models.some.{name}", "z_dim": 16}), "nonlin": "tanh", **more}


def import_state(tmp_path, content, write=write_bytes, **options):
    """(the model as the saved file has it, the lines that were said)."""
    out = io.StringIO()
    file = write(tmp_path / "epoch=312-step=5616.ckpt", content)
    with contextlib.redirect_stdout(out), log_to_stdout():
        import_checkpoint(file, tmp_path / "model.keras", **options)
    return load_model(tmp_path / "model.keras"), out.getvalue()


def check_terms(model, arrays, stage):
    terms = numbers(
        model.loss_terms(arrays["x"], arrays["mask"] > 0, sample=False, permutations=permutations_of(arrays, stage))
    )
    for name, other in (TERMS | (SWAPS if stage == 2 else {})).items():
        np.testing.assert_allclose(terms[name], arrays[f"stage{stage}/{other}"], **CLOSE, err_msg=name)


@pytest.mark.no_backend
@pytest.mark.parametrize("write", WRITERS)
def test_the_state_is_read_exactly(tmp_path, write):
    checkpoint = read_checkpoint(write(tmp_path / "a.ckpt", checkpoint_of(STATE)))
    assert checkpoint.epoch == 312 and list(checkpoint.state)[1:] == list(STATE)
    for name, value in STATE.items():
        np.testing.assert_array_equal(checkpoint.state[name], value, err_msg=name)
    odd = {"a": np.arange(6.0).reshape(2, 3), "b": np.array(3), "c": np.zeros((0, 4), "float16")}
    read = read_checkpoint(write(tmp_path / "bare.ckpt", odd)).state
    for name, value in odd.items():
        assert read[name].dtype == value.dtype
        np.testing.assert_array_equal(read[name], value)


# The state makes the same model on every backend (test_reference.py) and is saved on every backend (test_saving.py).
ON_ALL = [
    pytest.param(file, stage, marks=[] if file == FILES[0] else pytest.mark.no_backend, id=f"{file.stem}-{stage}")
    for file, stage in STAGES
]


@pytest.mark.parametrize(("file", "stage"), ON_ALL)
def test_the_saved_model_meets_the_reference(tmp_path, file, stage):
    arrays = arrays_of(file)
    model, said = import_state(tmp_path, checkpoint_of(state_of(arrays, stage)), WRITERS[stage % len(WRITERS)])
    assert model.stage == stage and f"tsdsae ({'it has the snapshot' if stage == 2 else 'assumed'}" in said
    assert f"stage {stage}, epoch 312; features 80, z_dim 16, v_dim 16" in said
    check_terms(model, arrays, stage)
    assert np.isfinite(model.swap(arrays["x"], arrays["x"][::-1])).all()


@pytest.mark.no_backend
@pytest.mark.parametrize("stage", (1, 2))
def test_training_continues_in_the_stage(tmp_path, stage):
    arrays = arrays_of(FILES[0])
    model, _ = import_state(tmp_path, checkpoint_of(state_of(arrays, stage)))
    local, prior, rest = (model.q_z, model.p_z), (model.informed_prior,), (model.q_v, model.p_x)
    before = [weights_of(*parts) for parts in (local, prior, rest)]
    history = compile_with_adam(model).fit(arrays["x"], batch_size=len(arrays["x"]), epochs=1, verbose=0).history
    after = [weights_of(*parts) for parts in (local, prior, rest)]
    assert np.isfinite(history["loss"]).all() and history["skipped_steps"] == [0]
    assert set(SWAP_TERMS) & set(history) == (set(SWAP_TERMS) if stage == 2 else set())
    (check_same if stage == 1 else check_all_moved)(before[0], after[0], "local parts")
    check_same(before[1], after[1], "snapshot")
    check_all_moved(before[2], after[2], "global encoder and decoder")


@pytest.mark.no_backend
@pytest.mark.parametrize(
    ("given", "settings", "epoch", "name", "stage"),
    [
        ("dsae", {}, 5, "DSAE", 1),
        ("dsae-f", {}, 5, "DSAEf", 1),
        (None, settings_of("Dsae"), 5, "DSAE", 1),
        (None, settings_of("FreezeDsae", C=300), 299, "DSAEf", 1),
        (None, settings_of("FreezeDsae", C=300), 300, "DSAEf", 2),
        (None, {"model": {"_target_": "src.models.dsae.Dsae"}}, 5, "DSAE", 1),
        ("dsae-f", settings_of("Dsae"), 5, "DSAEf", 1),
    ],
)
def test_the_kind_is_given_or_read(tmp_path, given, settings, epoch, name, stage):
    content = checkpoint_of(STATE, hyper_parameters=settings, epoch=epoch)
    model, said = import_state(tmp_path, content, model=given)
    assert type(model).__name__ == name and model.stage == stage
    assert ("as --model says" if given else "the file names src.models.") in said
    check_terms(model, arrays_of(FILES[0]), 1)


@pytest.mark.no_backend
def test_swap_weights_are_those_of_the_training(tmp_path):
    settings = settings_of("TsDsae", reg_weights=omegaconf([0.0, 0.5, 1.0, 2.0]))
    state = state_of(arrays_of(FILES[0]), 2)
    model, _ = import_state(tmp_path, checkpoint_of(state, hyper_parameters=settings))
    assert [model.term_weights[name] for name in SWAP_TERMS] == [0.0, 0.5, 1.0, 2.0]
    settings["reg_weights"] = [1.0]
    with pytest.raises(InputError, match="reg_weights"):
        import_checkpoint(
            write_bytes(tmp_path / "b.ckpt", checkpoint_of(state, hyper_parameters=settings)), tmp_path / "b.keras"
        )


def bad_files(folder):
    """{what a message must say: file}."""
    good = write_bytes(folder / "good.ckpt", checkpoint_of(STATE)).read_bytes()
    (folder / "cut.ckpt").write_bytes(good[: len(good) // 2])
    with zipfile.ZipFile(folder / "other.ckpt", "w") as archive:
        archive.writestr("config.json", "{}")
    with zipfile.ZipFile(folder / "good.ckpt") as whole, zipfile.ZipFile(folder / "lost.ckpt", "w") as archive:
        for name in whole.namelist():
            archive.writestr(name, whole.read(name)[: 8 if name.endswith("/2") else None])
    write_bytes(folder / "none.ckpt", {"epoch": 3, "hyper_parameters": {}})
    write_bytes(folder / "unknown.ckpt", checkpoint_of(STATE | {"net_foo.weight": np.zeros((2, 2), "float32")}))
    write_bytes(folder / "relu.ckpt", checkpoint_of(STATE, hyper_parameters={"nonlin": "relu"}))
    return {
        "missing.ckpt": "is not there",
        ".": "is a folder",
        "cut.ckpt": "is not a PyTorch file, or it is damaged",
        "other.ckpt": "is a zip archive that PyTorch did not write",
        "lost.ckpt": "lies outside its storage",
        "none.ckpt": "holds no state_dict of tensors; its keys are: epoch, hyper_parameters",
        "unknown.ckpt": "unknown names: net_foo.weight",
        "relu.ckpt": "nonlin='relu'",
    }


@pytest.mark.no_backend
def test_a_bad_file_is_one_line(tmp_path):
    for name, text in bad_files(tmp_path).items():
        with pytest.raises(InputError) as caught:
            import_checkpoint(tmp_path / name, tmp_path / "model.keras")
        assert text in str(caught.value) and str(tmp_path / name) in str(caught.value), name
        assert "\n" not in str(caught.value) and not (tmp_path / "model.keras").exists()


@pytest.mark.no_backend
def test_a_state_that_makes_no_model_is_refused():
    wide = np.broadcast_to(np.float32(0), (60_000, len(STATE["net_v_mu.weight"][0])))
    wrong = {"net_v_mu.weight": wide, "net_v_mu.bias": np.array("x"), "net_feature.rnn.weight_hh_l999999999": wide}
    wrong |= {"net_z_mu.weight": np.zeros((60_000, 0)), "net_v_prior.rnn.bias_ih_l0": wide, "\x1b" * 99: wide}
    for name, value in wrong.items():
        with little_memory():
            assert answer(lambda name=name, value=value: from_reference_state(STATE | {name: value})), name


@pytest.mark.no_backend
def test_output_is_never_overwritten(tmp_path):
    file = write_bytes(tmp_path / "a.ckpt", checkpoint_of(STATE))
    (tmp_path / "there.keras").write_text("mine")
    for name, text in {"there.keras": "exists", "a.h5": "must end in .keras", "no/a.keras": "mkdir -p"}.items():
        with pytest.raises(InputError, match=text):
            import_checkpoint(file, tmp_path / name)
    assert (tmp_path / "there.keras").read_text() == "mine" and not list(tmp_path.glob(".*"))
