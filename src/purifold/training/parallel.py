"""Runs a function in one process a device, and lets it report to the process that called."""

import os
from collections import deque
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager, suppress
from functools import partial
from multiprocessing import get_context
from multiprocessing.connection import Connection
from typing import TYPE_CHECKING

import torch
from torch.multiprocessing.spawn import ProcessException

from purifold.errors import Failure, InputError
from purifold.training.progress import Progress

if TYPE_CHECKING:
    import lightning_fabric


def in_processes(
    fabric: "lightning_fabric.Fabric",
    function: Callable[..., object],
    *arguments: object,
    progress: Callable[[Progress], None] | None,
) -> None:
    """Calls `function(fabric, *arguments, report)` in every process; all end when one of them fails.

    Args:
        fabric: One that spawns its processes.
        function: Importable by name, as all arguments must be picklable; what it returns is lost.
        arguments: Sent to each process; on the CPU tensors in them are in memory that all share.
        progress: Called in a thread of this process with what the first process reports.
    """
    receiver, sender = get_context("spawn").Pipe(duplex=False)
    with ThreadPoolExecutor(1) as thread:
        relay = thread.submit(_relay, receiver, progress)
        try:
            with _own_port():
                fabric.launch(partial(_call, function, (*arguments, sender.send if progress else None)))
        except ProcessException as error:
            raise _translated(error) from error
        finally:
            sender.close()
    relay.result()


def _call(
    function: Callable[..., object], arguments: tuple[object, ...], fabric: "lightning_fabric.Fabric"
) -> None:
    function(fabric, *arguments)
    fabric.barrier()  # or the first to leave breaks what the others still have to tell each other
    torch.distributed.destroy_process_group()


def _relay(receiver: Connection, progress: Callable[[Progress], None] | None) -> None:
    events = _events(receiver)
    try:
        for event in events:
            if progress:
                progress(event)
    finally:
        deque(events, maxlen=0)  # a full pipe would stop the training


def _events(receiver: Connection) -> Iterator[Progress]:
    with suppress(EOFError):
        while True:
            yield receiver.recv()


@contextmanager
def _own_port() -> Iterator[None]:
    """Fabric leaves the port of its processes in the environment."""
    before = os.environ.get("MASTER_PORT")
    try:
        yield
    finally:
        os.environ.pop("MASTER_PORT", None)
        if before is not None:
            os.environ["MASTER_PORT"] = before


def _translated(error: ProcessException) -> Exception:
    """The error of the process that failed, of which only the printed traceback arrives here."""
    name, _, message = str(error).strip().splitlines()[-1].partition(": ")
    return InputError(message) if name.endswith("InputError") else Failure(message or name)
