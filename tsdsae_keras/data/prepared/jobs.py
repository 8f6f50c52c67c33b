"""Where work is done: threads, processes, a Dask or a Ray cluster, all through joblib."""

import contextlib
import importlib.util
import os

from tsdsae_keras.errors import InputError

KINDS = ("threading", "loky", "dask", "ray")
_LIST = 64  # tasks whose results come together where they cannot come one by one


def in_parallel(function, items, workers=None):
    """(position, function(*item)) of every item, as they are finished.

    Runs in threads, unless a `joblib.parallel_config` around it names another place. `function` and the items must then
    be picklable, and every worker must see the same files under the same paths.

    Args:
        function: takes the values of an item.
        items: a list of tuples.
        workers: how many at once; None is what `parallel_config` says, else 1.
    """
    from joblib import Parallel, delayed
    from joblib.parallel import get_active_backend

    tasks = [delayed(_run_numbered)(number, function, item) for number, item in enumerate(items)]
    if get_active_backend(prefer="threads")[0].supports_return_generator:
        yield from Parallel(n_jobs=workers, prefer="threads", return_as="generator_unordered")(tasks)
        return
    parallel = Parallel(n_jobs=workers, prefer="threads")  # Ray: results come in lists, so ask for short ones
    for start in range(0, len(tasks), _LIST):
        yield from parallel(tasks[start : start + _LIST])


@contextlib.contextmanager
def jobs_on(kind, workers):
    """While the body runs, `in_parallel` works there.

    Args:
        kind: "threading", "loky" (processes), "dask" or "ray". The last two join the cluster of DASK_SCHEDULER_ADDRESS
            or RAY_ADDRESS, else start one of `workers` processes on this machine.
        workers: how many.

    Raises:
        InputError: another kind, or one that is not installed.
    """
    if kind not in KINDS:
        raise InputError(f"jobs is {kind!r}; choose from {', '.join(KINDS)}")
    from joblib import parallel_config

    with contextlib.ExitStack() as stack:
        if kind == "dask":
            stack.enter_context(_dask(workers))
        if kind == "ray":
            stack.enter_context(_ray(workers))
        stack.enter_context(parallel_config(backend=kind, n_jobs=workers))
        yield


def _run_numbered(number, function, item):
    return number, function(*item)


@contextlib.contextmanager
def _dask(workers):
    _check_installed("distributed", "dask")
    import dask
    from distributed import Client, LocalCluster

    if dask.config.get("scheduler-address", None):
        with Client():
            yield
        return
    with LocalCluster(n_workers=workers, threads_per_worker=1, dashboard_address=None) as cluster, Client(cluster):
        yield


@contextlib.contextmanager
def _ray(workers):
    _check_installed("ray", "ray")
    import ray
    from ray.util.joblib import register_ray

    register_ray()
    ours = not ray.is_initialized()
    if ours:
        address = {} if "RAY_ADDRESS" in os.environ else {"num_cpus": workers, "include_dashboard": False}
        ray.init(log_to_driver=False, **address)
    try:
        yield
    finally:
        if ours:
            ray.shutdown()


def _check_installed(name, extra):
    if importlib.util.find_spec(name) is None:
        raise InputError(f"--jobs {extra} needs {name}, which is not installed: pip install -e '.[{extra}]'")
