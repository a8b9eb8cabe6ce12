"""Makes one artefact: what a study does for each step, in this process or in a worker elsewhere."""

import errno
import time
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext, suppress

from purifold.engine.manifest import Manifest
from purifold.engine.step import Resources, Step, Workbench
from purifold.engine.store import Store, Unsound
from purifold.engine.work import Busy
from purifold.errors import Failure


class DiskFull(Failure):
    """No space is left; every other step would fail too."""


def make(
    step: Step,
    store: Store,
    resources: Resources,
    report: Callable[[float, str], None],
    *,
    patient: bool = True,
) -> Manifest | None:
    """Runs a step and publishes its artefact; None when another process was first.

    Args:
        step: Its inputs' artefacts must be in the store.
        store: Where artefacts are read and published.
        resources: Of this machine.
        report: Called with the fraction done and a note, as often as the step likes.
        patient: Whether to wait for another process that makes the same artefact, else `Busy` is raised.

    Raises `Unsound` when an input is missing or was found damaged, `DiskFull`, and whatever the step raises;
    the store is sound after each of them, and after a kill.
    """
    with _failing_in_one_line(step, store), store.lock(step, patient=patient):
        if store.settle(step):
            return None
        fetched = {part.key: store.fetch(part) for part in step.inputs()}
        with store.work(step) as place:
            bench = Workbench(
                folder=place.folder,
                scratch_at=place.scratch,
                resources=resources,
                fetched=fetched,
                report=report,
            )
            report(0.0, "")
            start = time.perf_counter()
            with _in_full(resources.device):
                step.run(bench)
            return store.publish(step, place, seconds=time.perf_counter() - start, device=resources.device)


def _in_full(device: str) -> AbstractContextManager[None]:
    """Off the CPU float32 is computed in full, for attacks count on answers that rounding does not undo."""
    if device == "cpu":
        return nullcontext()
    from purifold.tf32 import tf32

    return tf32(allowed=False)  # a training allows it for itself


@contextmanager
def _failing_in_one_line(step: Step, store: Store) -> Iterator[None]:
    try:
        yield
    except (Unsound, Busy):
        raise
    except Exception as error:
        with suppress(OSError):  # on a full disk the log cannot grow either
            store.log("failed", step, error=f"{type(error).__name__}: {error}")
        if is_disk_full(error):
            raise disk_full(f"{step.label} was made", error, store) from error
        raise


def disk_full(what: str, error: Exception, store: Store) -> DiskFull:
    """Says what happened meanwhile ("a step was made") and how to go on."""
    return DiskFull(
        f"no space left while {what} ({error}); free some and run the same command again: "
        f"what is finished is kept in {store.address}"
    )


def is_disk_full(error: BaseException | None) -> bool:
    """Whether that is what an error, or what led to it, says."""
    while error is not None:
        if isinstance(error, OSError) and error.errno in (errno.ENOSPC, errno.EDQUOT):
            return True
        if "No space left on device" in str(error):  # safetensors and others keep no errno
            return True
        error = error.__cause__ or error.__context__
    return False
