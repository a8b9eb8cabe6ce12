"""Commands that run studies: demo, evaluate, reproduce."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from purifold.cli.options import (
    DataRoot,
    Debug,
    DryRun,
    KnowledgeOption,
    NormOption,
    Ray,
    Scale,
    ScaleOption,
    Seed,
    StoreAddress,
)

if TYPE_CHECKING:
    from purifold.engine.compose import Question
    from purifold.engine.step import Resources
    from purifold.engine.store import Store


def demo(
    out: Annotated[Path, typer.Option(help="Folder of the report.")] = Path("runs/demo"),
    store: StoreAddress = "runs/store",
    scale: Scale = ScaleOption.smoke,
    seed: Seed = 0,
    ray: Ray = None,
    dry_run: DryRun = False,
    debug: Debug = False,
) -> None:
    """Autoencoders in front of a classifier of handwritten digits, attacked; under two minutes, no download.

    Example: `purifold demo`
    """
    from purifold.engine.compose import Question

    question = Question(
        data="digits",
        defenses=("none", "ae", "dae", "vae:beta=0.1", "dvae:beta=0.1"),  # so few pixels bear little KL
        attacks=("pgd", "cw-l2:steps=30,search_steps=2,descents=1"),
        epsilons=(0.1, 0.2, 0.3),
        seed=seed,
    )
    _study(
        question,
        "Purifold demo: autoencoders against adversarial digits",
        None,
        store,
        out,
        scale,
        ray,
        dry_run,
    )


def evaluate(
    data: Annotated[str, typer.Option(help="Data set; see `purifold list data`.")],
    data_root: DataRoot = None,
    defense: Annotated[
        list[str] | None,
        typer.Option(help="Repeat for several; options as vae:latent_scale=0.1. Default: vae."),
    ] = None,
    attack: Annotated[
        list[str] | None,
        typer.Option(help="Repeat for several; options as pgd:steps=100. Default: pgd and cw-l2."),
    ] = None,
    norm: Annotated[NormOption, typer.Option(help="Of the budget.")] = NormOption.linf,
    epsilon: Annotated[
        list[float] | None,
        typer.Option(help="Budget on the [0, 1] pixel scale; repeat for a curve. Default: the data set's."),
    ] = None,
    knowledge: Annotated[
        list[KnowledgeOption] | None,
        typer.Option(help="What the attacker knows; repeat; adaptive is always added. Default: oblivious."),
    ] = None,
    images: Annotated[int | None, typer.Option(min=1, help="Test images. Default: the scale's.")] = None,
    classifier: Annotated[str | None, typer.Option(help="Network. Default: the data set's.")] = None,
    autoencoder: Annotated[
        str | None, typer.Option(help="Networks of autoencoders. Default: the data set's.")
    ] = None,
    substitute: Annotated[
        list[str] | None, typer.Option(help="Network that a transfer attacker has; repeat. Default: mlp.")
    ] = None,
    store: StoreAddress = "runs/store",
    out: Annotated[Path | None, typer.Option(help="Folder of the report. Default: runs/DATA.")] = None,
    scale: Scale = ScaleOption.cpu,
    seed: Seed = 0,
    ray: Ray = None,
    dry_run: DryRun = False,
    debug: Debug = False,
) -> None:
    """Trains, attacks and judges defenses of a classifier, and writes a report.

    Example: `purifold evaluate --data digits --defense vae --attack pgd --epsilon 0.1 --epsilon 0.3`

    On MNIST: `purifold evaluate --data mnist --data-root DIR --defense vae --attack pgd --attack cw-l2
    --norm linf --epsilon 0.3 --knowledge oblivious --knowledge adaptive`
    """
    from purifold.engine.compose import Question

    question = Question(
        data=data,
        defenses=_with_bare(defense or ["vae"]),
        attacks=tuple(attack or ["pgd", "cw-l2"]),
        norm=norm.value,
        epsilons=tuple(epsilon) if epsilon else None,
        knowledge=tuple(
            level.value for level in knowledge or (KnowledgeOption.oblivious, KnowledgeOption.adaptive)
        ),
        images=images,
        classifier=classifier,
        autoencoder=autoencoder,
        substitutes=tuple(substitute or ("mlp",)),
        seed=seed,
    )
    folder = out or Path("runs") / data.replace("/", "-")
    _study(question, f"{data}: defenses under attack", data_root, store, folder, scale, ray, dry_run)


def reproduce(
    paper: Annotated[str, typer.Argument(help="See `purifold list papers`.")],
    data_root: DataRoot = None,
    store: StoreAddress = "runs/store",
    out: Annotated[Path | None, typer.Option(help="Folder of the report. Default: runs/PAPER.")] = None,
    only: Annotated[
        list[str] | None,
        typer.Option(help="A figure or table, such as fig-3; repeat for several. Default: all."),
    ] = None,
    scale: Scale = ScaleOption.cpu,
    seed: Seed = 0,
    ray: Ray = None,
    dry_run: DryRun = False,
    debug: Debug = False,
) -> None:
    """Runs a paper's experiments, draws its figures and judges its claims; goes on where it was stopped.

    Example: `purifold reproduce ae-robustness --scale smoke --only fig-3`

    On real images: `purifold reproduce foundation --data-root DIR --scale smoke --dry-run`
    """
    from purifold.engine.scale import SCALES
    from purifold.papers.library import paper as named
    from purifold.report.printed import beside_printed
    from purifold.report.study import report, show_plan

    chosen = named(paper)
    resources = _resources(data_root)
    study = chosen.study(SCALES[scale.value], resources, seed).only(only or ())
    minutes = chosen.minutes.get(scale.value)
    if dry_run:
        show_plan(study, _store(store), minutes)
        return
    folder = out or Path("runs") / paper
    title = f"{chosen.title} ({scale.value} scale)"
    results = report(study, _store(store), resources, folder, title, minutes=minutes, ray=ray)
    beside_printed(chosen, results, folder)


def _study(
    question: "Question",
    title: str,
    data_root: Path | None,
    store: str,
    out: Path,
    scale: ScaleOption,
    ray: str | None,
    dry_run: bool,
) -> None:
    from purifold.engine.compose import compose
    from purifold.engine.scale import SCALES
    from purifold.papers.base import Study
    from purifold.report.study import report, show_plan

    resources = _resources(data_root)
    study = Study(experiments=tuple(compose(question, SCALES[scale.value], resources)))
    if dry_run:
        show_plan(study, _store(store))
        return
    report(study, _store(store), resources, out, title, ray=ray)


def _with_bare(defenses: list[str]) -> tuple[str, ...]:
    """The defenses with the bare classifier first: no number means anything without it."""
    return tuple(dict.fromkeys(["none", *defenses]))


def _store(address: str) -> "Store":
    from purifold.engine.store import Store

    return Store(address)


def _resources(data_root: Path | None) -> "Resources":
    import torch

    from purifold.engine.step import Resources

    device = "cuda" if torch.cuda.is_available() else "cpu"
    return Resources(data_root=None if data_root is None else str(data_root), device=device)
