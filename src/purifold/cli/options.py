"""Options that several commands share, the words that an option may take, and what they stand for."""

from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

if TYPE_CHECKING:
    from purifold.engine.step import Resources
    from purifold.engine.store import Store


class ScaleOption(StrEnum):
    """Sizes of a study."""

    smoke = "smoke"
    cpu = "cpu"
    paper = "paper"


class NormOption(StrEnum):
    """Norms of a threat model."""

    linf = "linf"
    l2 = "l2"


class KnowledgeOption(StrEnum):
    """What an attacker may use."""

    oblivious = "oblivious"
    transfer = "transfer"
    adaptive = "adaptive"
    scores = "scores"


DataRoot = Annotated[
    Path | None, typer.Option(help="Folder with one folder a data set; without it the Hub is asked.")
]
StoreAddress = Annotated[
    str, typer.Option("--store", help="Where artefacts are kept: a folder or an fsspec address.")
]
Scale = Annotated[
    ScaleOption,
    typer.Option(help="smoke: minutes; cpu: two cores, an hour or several; paper: a GPU."),
]
Seed = Annotated[int, typer.Option(help="Of everything random in the study.")]
Debug = Annotated[bool, typer.Option("--debug", help="Show the traceback of an error.")]
DryRun = Annotated[
    bool, typer.Option("--dry-run", help="Only say what there is to do, and how long it may take.")
]
Only = Annotated[
    list[str] | None,
    typer.Option(help="A figure or table, such as fig-3; repeat for several. Default: all."),
]
Ray = Annotated[
    str | None,
    typer.Option(
        help="Run many steps at a time: auto, for the cluster of this machine or else its cores, or an "
        "ADDRESS such as HEAD:6379. Needs Ray: pip install ray."
    ),
]
TensorBoard = Annotated[
    Path | None,
    typer.Option(
        help="Folder of TensorBoard logs of what is trained, for tensorboard --logdir. "
        "Needs TensorBoard: pip install tensorboard."
    ),
]


def store_of(address: str) -> "Store":
    """The store at a folder or an address."""
    from purifold.engine.store import Store

    return Store(address)


def resources_of(data_root: Path | None, tensorboard: Path | None = None) -> "Resources":
    """Of this machine: the folder of data sets, a GPU where there is one, where logs go.

    Refuses to log where TensorBoard is not installed.
    """
    import torch

    from purifold.engine.step import Resources

    if tensorboard is not None:
        from purifold.training.logs import logger

        logger(tensorboard)
    return Resources(
        data_root=None if data_root is None else str(data_root),
        device="cuda" if torch.cuda.is_available() else "cpu",
        logs=None if tensorboard is None else str(tensorboard),
    )
