"""Runs the steps of a study as Ray tasks: on all cores of this machine, or on a cluster with one store.

A task is one attempt at one step and gives back how it ended; artefacts go to the store, never through Ray.
So Ray only says where an attempt runs and whether its worker lived; `execute` decides what that means.
"""

import os
import pickle
import socket
import time
import traceback
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import Future
from contextlib import contextmanager
from dataclasses import replace
from queue import Empty, SimpleQueue
from types import ModuleType
from typing import Any, ClassVar, final

from purifold.discovery import adopt, own_files
from purifold.engine.attempt import Attempt, Ending, attempt
from purifold.engine.execute import Executor, execute
from purifold.engine.memory import ask_for_huge_pages
from purifold.engine.progress import Listener, silent
from purifold.engine.step import Resources, Step
from purifold.engine.store import Store
from purifold.engine.study import StudyReport, first_line
from purifold.errors import Failure, InputError

AUTO = "auto"
_COUNT_SECONDS = 10.0
"""How long the number of the cluster's cores is believed."""
_ANSWER_SECONDS = 10.0


def run(
    steps: Iterable[Step],
    store: Store,
    resources: Resources | None = None,
    listener: Listener = silent,
    *,
    address: str = AUTO,
) -> StudyReport:
    """Makes what the store lacks, many steps at a time; see `purifold.engine.local.run`.

    A step that raised is tried twice more, one whose worker or node died as often as ten times. Several runs
    may use one store and one cluster.

    Args:
        steps: The artefacts that are wanted.
        store: All nodes must reach it under the same address: a shared folder, s3://..., gs://...
        resources: Its `data_root` must be there on all nodes; a step's device is what Ray gives it, and its
            logs are written where it runs.
        listener: Called with every change, but not with how far a step is.
        address: Of a cluster, as `ray.init` takes it; "auto": the one that was started on this machine or
            that RAY_ADDRESS names, else the cores of this machine.

    Raises as the local run, and `InputError` where Ray is not installed or no cluster answers.
    """
    if store.address.startswith("memory://"):
        raise InputError(f"workers cannot see the store {store.address}; take a folder or s3://bucket/path")
    resources = resources or Resources()
    with _connected(address) as ray:
        there = replace(resources, data_root=_absolute(resources.data_root), logs=_absolute(resources.logs))
        executor = _Cluster(ray, store, there)
        try:
            return execute(steps, store, executor, listener)
        finally:
            executor.cancel()


@final
class _Cluster(Executor):
    """As many attempts at a time as the cluster has cores, and a few that wait at hand."""

    parallel: ClassVar[bool] = True
    retries: ClassVar[int] = 2
    poll: ClassVar[float] = 0.5

    def __init__(self, ray: ModuleType, store: Store, resources: Resources) -> None:
        self._ray, self._store, self._resources = ray, store, resources
        self._task = ray.remote(max_retries=0)(_work)
        self._running: dict[str, Any] = {}
        self._ended: SimpleQueue[tuple[Step, Future[Attempt]]] = SimpleQueue()
        self._counted = -_COUNT_SECONDS
        self._most = 0
        self._gpus = 0.0

    def room(self) -> bool:
        """Whether a core is free, or will be soon."""
        if time.monotonic() - self._counted >= _COUNT_SECONDS:
            there = self._ray.cluster_resources()
            cores = int(there.get("CPU", 0))
            self._most, self._gpus = cores + max(2, cores // 8), there.get("GPU", 0.0)
            self._counted = time.monotonic()
        return len(self._running) < self._most

    def start(self, step: Step, report: Callable[[float, str], None]) -> None:
        """Hands the step to Ray."""
        task = self._task.options(
            name=step.label, num_cpus=step.cpus, num_gpus=step.gpus if self._gpus else 0.0
        )
        pickled = self._ray.cloudpickle.dumps(step)
        running = task.remote(pickled, self._store, self._resources, os.getcwd(), own_files())
        self._running[step.key] = running
        running.future().add_done_callback(lambda future: self._ended.put((step, future)))
        report(0.0, "")

    def ended(self) -> list[tuple[Step, Attempt]]:
        """Attempts that came back."""
        found: list[tuple[Step, Attempt]] = []
        try:
            while True:
                step, future = self._ended.get(timeout=0 if found else self.poll)
                del self._running[step.key]
                found.append((step, self._attempt(future)))
        except Empty:
            return found

    def cancel(self) -> None:
        """Ends what still runs, so that a caller's own session of Ray is left as it was found."""
        for running in self._running.values():
            self._ray.cancel(running, force=True)

    def _attempt(self, future: "Future[Attempt]") -> Attempt:
        error = future.exception()
        if error is None:
            return future.result()
        broken = isinstance(error, self._ray.exceptions.RayTaskError)  # before the attempt: no such module
        message = first_line(Exception(error)).partition(". ")[0]  # what follows is advice on Ray
        ending: Ending = "failed" if broken else "lost"
        return Attempt(ending=ending, error=Failure(f"{type(error).__name__}: {message}"))


def _work(
    pickled: bytes, store: Store, resources: Resources, folder: str, own: Sequence[tuple[str, str]]
) -> Attempt:
    """What a worker does: one attempt, on the GPU that Ray gave it if any.

    Args:
        pickled: The step; its class may be of the user's file.
        store: Where artefacts are read and published.
        resources: But for the device.
        folder: Working directory of the driver, by which data sets may be named.
        own: `own_files` of the driver.
    """
    import ray

    ask_for_huge_pages()
    if os.path.isdir(folder):
        os.chdir(folder)
    for name, text in own:
        adopt(name, text)
    step: Step = pickle.loads(pickled)
    gpu = bool(ray.get_runtime_context().get_accelerator_ids().get("GPU"))
    ended = attempt(step, store, replace(resources, device="cuda" if gpu else "cpu"), _unheard)
    if gpu:
        import torch

        torch.cuda.empty_cache()  # others may have a share of it
    return ended if ended.error is None else replace(ended, error=_portable(ended.error))


def _absolute(folder: str | None) -> str | None:
    return None if folder is None else os.path.abspath(folder)


def _unheard(fraction: float, note: str) -> None:
    """Nobody listens to how far a step is in a worker."""


def _portable(error: Exception) -> Exception:
    """The error with its traceback as a note; in other words where it cannot travel between processes."""
    error.add_note("".join(traceback.format_exception(error)))
    try:
        return pickle.loads(pickle.dumps(error))
    except Exception:
        return Failure(f"{type(error).__name__}: {first_line(error)}")


@contextmanager
def _connected(address: str) -> Iterator[ModuleType]:
    """Ray, connected; a session that was there before stays open."""
    try:
        import ray
    except ImportError as error:
        raise InputError("--ray needs the package ray: pip install ray") from error
    if ray.is_initialized():
        yield ray
        return
    if address != AUTO:
        _check_reached(address)
    os.environ.setdefault("RAY_USAGE_STATS_ENABLED", "0")
    ray.init(address=None if address == AUTO else address, log_to_driver=False, logging_level="WARNING")
    try:
        yield ray
    finally:
        ray.shutdown()


def _check_reached(address: str) -> None:
    """Refuses an address where nothing answers: Ray itself would wait for minutes and end the process."""
    host, _, port = address.removeprefix("ray://").rpartition(":")
    try:
        socket.create_connection((host, int(port)), timeout=_ANSWER_SECONDS).close()
    except (OSError, ValueError, OverflowError) as error:
        raise InputError(
            f"no Ray cluster answers at {address} ({error}); start one with `ray start --head --port=6379`, "
            "or let --ray auto use this machine"
        ) from error
