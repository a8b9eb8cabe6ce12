"""Commands that run studies: demo, evaluate, reproduce, run."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from purifold.cli.options import (
    DataRoot,
    Debug,
    DryRun,
    KnowledgeOption,
    NormOption,
    Only,
    Ray,
    Scale,
    ScaleOption,
    Seed,
    StoreAddress,
    resources_of,
    store_of,
)

if TYPE_CHECKING:
    from purifold.engine.compose import Question
    from purifold.papers.base import Paper
    from purifold.report.results import Results


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
    classifier: Annotated[
        str | None, typer.Option(help="See `purifold list classifiers`. Default: the data set's.")
    ] = None,
    autoencoder: Annotated[
        str | None, typer.Option(help="See `purifold list autoencoders`. Default: the data set's.")
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
    only: Only = None,
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
    from purifold.papers.library import paper as named
    from purifold.report.printed import beside_printed

    chosen = named(paper)
    folder = out or Path("runs") / paper
    results = _paper(chosen, data_root, store, folder, only, scale, seed, ray, dry_run)
    if results is not None:
        beside_printed(chosen, results, folder)


def run(
    file: Annotated[Path, typer.Argument(help="Python file with a study, as docs/own-study.md shows it.")],
    data_root: DataRoot = None,
    store: StoreAddress = "runs/store",
    out: Annotated[Path | None, typer.Option(help="Folder of the report. Default: runs/NAME.")] = None,
    only: Only = None,
    scale: Scale = ScaleOption.cpu,
    seed: Seed = 0,
    ray: Ray = None,
    dry_run: DryRun = False,
    debug: Debug = False,
) -> None:
    """Runs a study of your own: one Python file with the networks, experiments and figures that it wants.

    Example: `purifold run my_study.py --scale smoke`
    """
    from purifold.papers.own import own_paper

    paper = own_paper(file)
    _paper(paper, data_root, store, out or Path("runs") / paper.name, only, scale, seed, ray, dry_run)


def _paper(
    paper: "Paper",
    data_root: Path | None,
    store: str,
    out: Path,
    only: list[str] | None,
    scale: ScaleOption,
    seed: int,
    ray: str | None,
    dry_run: bool,
) -> "Results | None":
    from purifold.engine.scale import SCALES
    from purifold.report.study import report, show_plan

    resources = resources_of(data_root)
    study = paper.study(SCALES[scale.value], resources, seed).only(only or ())
    minutes = paper.minutes.get(scale.value)
    if dry_run:
        show_plan(study, store_of(store), minutes)
        return None
    title = f"{paper.title} ({scale.value} scale)"
    return report(study, store_of(store), resources, out, title, minutes=minutes, ray=ray)


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

    resources = resources_of(data_root)
    study = Study(experiments=tuple(compose(question, SCALES[scale.value], resources)))
    if dry_run:
        show_plan(study, store_of(store))
        return
    report(study, store_of(store), resources, out, title, ray=ray)


def _with_bare(defenses: list[str]) -> tuple[str, ...]:
    """The defenses with the bare classifier first: no number means anything without it."""
    return tuple(dict.fromkeys(["none", *defenses]))
