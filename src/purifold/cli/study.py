"""Commands that run studies: demo, evaluate, reproduce, run."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from purifold.cli.course import Course, on_course
from purifold.cli.options import (
    DataRoot,
    KnowledgeOption,
    NormOption,
    Only,
    ScaleOption,
    resources_of,
    store_of,
)

if TYPE_CHECKING:
    from purifold.engine.compose import Question
    from purifold.engine.step import Resources
    from purifold.papers.base import Paper, Study
    from purifold.report.results import Results


@on_course(scale=ScaleOption.smoke)
def demo(course: Course) -> None:
    """Autoencoders in front of a classifier of handwritten digits, attacked; under two minutes, no download.

    Example: `purifold demo`
    """
    from purifold.engine.compose import Question

    question = Question(
        data="digits",
        defenses=("none", "ae", "dae", "vae:beta=0.1"),  # so few pixels bear little KL
        attacks=("pgd", "cw-l2:steps=30,search_steps=2,descents=1"),
        epsilons=(0.1, 0.2),
        seed=course.seed,
    )
    _answer(question, "Purifold demo: autoencoders against adversarial digits", "demo", None, course)


@on_course()
def evaluate(
    course: Course,
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
    check_images: Annotated[
        int | None,
        typer.Option(
            min=0,
            help="Images that each sanity check of a defense attacks; with 0 none does, and the report says "
            "so. Default: the scale's.",
        ),
    ] = None,
    classifier: Annotated[
        str | None, typer.Option(help="See `purifold list classifiers`. Default: the data set's.")
    ] = None,
    autoencoder: Annotated[
        str | None, typer.Option(help="See `purifold list autoencoders`. Default: the data set's.")
    ] = None,
    substitute: Annotated[
        list[str] | None, typer.Option(help="Network that a transfer attacker has; repeat. Default: mlp.")
    ] = None,
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
        checked=check_images,
        classifier=classifier,
        autoencoder=autoencoder,
        substitutes=tuple(substitute or ("mlp",)),
        seed=course.seed,
    )
    _answer(question, f"{data}: defenses under attack", data.replace("/", "-"), data_root, course)


@on_course()
def reproduce(
    course: Course,
    paper: Annotated[str, typer.Argument(help="See `purifold list papers`.")],
    data_root: DataRoot = None,
    only: Only = None,
) -> None:
    """Runs a paper's experiments, draws its figures and judges its claims; goes on where it was stopped.

    Example: `purifold reproduce ae-robustness --scale smoke --only fig-3`

    On real images: `purifold reproduce foundation --data-root DIR --scale smoke --dry-run`

    On a cluster: `purifold reproduce ae-robustness --data-root DIR --store s3://bucket/store --ray HEAD:6379`

    The page anew from its results: `purifold reproduce puvae --data-root DIR --only table-2 --redraw`
    """
    from purifold.papers.library import paper as named
    from purifold.report.printed import beside_printed

    chosen = named(paper)
    results = _show(chosen, data_root, only, course)
    if results is not None:
        beside_printed(chosen, results, _folder(chosen.name, course))


@on_course()
def run(
    course: Course,
    file: Annotated[Path, typer.Argument(help="Python file with a study, as docs/own-study.md shows it.")],
    data_root: DataRoot = None,
    only: Only = None,
) -> None:
    """Runs a study of your own: one Python file with the networks, experiments and figures that it wants.

    Example: `purifold run my_study.py --scale smoke --dry-run`

    On all cores of this machine: `purifold run my_study.py --ray auto`
    """
    from purifold.papers.own import own_paper

    _show(own_paper(file), data_root, only, course)


def _show(paper: "Paper", data_root: Path | None, only: list[str] | None, course: Course) -> "Results | None":
    """Runs the study of a paper."""
    from purifold.engine.scale import SCALES

    scale, resources = course.scale.value, resources_of(data_root, course.tensorboard)
    study = paper.study(SCALES[scale], resources, course.seed).only(only or ())
    title = f"{paper.title} ({scale} scale)"
    return _run(study, title, paper.name, resources, course, paper.minutes.get(scale))


def _answer(question: "Question", title: str, name: str, data_root: Path | None, course: Course) -> None:
    """Runs the experiments that answer a question."""
    from purifold.engine.compose import compose
    from purifold.engine.scale import SCALES
    from purifold.papers.base import Study

    resources = resources_of(data_root, course.tensorboard)
    experiments = tuple(compose(question, SCALES[course.scale.value], resources))
    count = experiments[0].count
    if question.images is not None and count < question.images:
        typer.echo(f"{question.data} has {count} test images, not {question.images}: all are attacked.")
    _run(Study(experiments=experiments), title, name, resources, course)


def _run(
    study: "Study",
    title: str,
    name: str,
    resources: "Resources",
    course: Course,
    minutes: float | None = None,
) -> "Results | None":
    """Runs a study, or only draws its report, or tells what there is to do.

    Args:
        study: Of what the command line names.
        title: Of the page.
        name: Of the folder, where none is given.
        resources: Of this machine.
        course: How it is run.
        minutes: What it is known to take.
    """
    from purifold.report.study import redraw, report, show_plan

    if course.redraw:
        return redraw(study, _folder(name, course), title)
    store = store_of(course.store)
    if course.dry_run:
        show_plan(study, store, minutes)
        return None
    out = _folder(name, course)
    return report(study, store, resources, out, title, minutes=minutes, ray=course.ray)


def _folder(name: str, course: Course) -> Path:
    return course.out or Path("runs") / name


def _with_bare(defenses: list[str]) -> tuple[str, ...]:
    """The defenses with the bare classifier first: no number means anything without it."""
    return tuple(dict.fromkeys(["none", *defenses]))
