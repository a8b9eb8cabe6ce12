"""Training curves for TensorBoard, through Fabric's logger: they change nothing of what is trained."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from purifold.errors import InputError

if TYPE_CHECKING:
    import lightning_fabric
    from lightning_fabric.loggers.logger import Logger


def logger(folder: Path) -> "Logger":
    """Writes event files into `folder`, which is made with the first value; refuses where it cannot."""
    from lightning_fabric.loggers.tensorboard import TensorBoardLogger

    try:
        return TensorBoardLogger(root_dir=folder, name="", version="")
    except ModuleNotFoundError as error:
        raise InputError(
            "logs for TensorBoard need the package tensorboard: pip install tensorboard"
        ) from error


@contextmanager
def closed(fabric: "lightning_fabric.Fabric") -> Iterator[None]:
    """At the end, also after an error: what was logged is in its files."""
    try:
        yield
    finally:
        for open_logger in fabric.loggers:
            open_logger.finalize("finished")
