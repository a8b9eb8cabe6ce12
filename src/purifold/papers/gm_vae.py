"""A Gaussian-mixture VAE that may refuse: `gm-vae`.

Ghosh, Losalka and Black, 2019, "Resisting adversarial attacks using Gaussian mixture variational
autoencoders", tables 1 and 2, figures 2 to 5. Beside it what the paper lacks: attackers who know the
detectors, attackers who want images refused, inputs that show no class, and a plain classifier with a
reconstruction-error detector.

Differs: SVHN is not at hand, and Fashion-MNIST and CIFAR-10 stand in for it.
"""

from collections.abc import Iterable, Iterator, Sequence

from purifold.engine.scale import Scale
from purifold.engine.step import Resources
from purifold.papers.base import Paper, Study
from purifold.papers.gm_vae_cells import (
    AGAIN,
    ALWAYS,
    BARE,
    EQUATION,
    EVERY,
    PROTOCOL,
    RATED,
    REFUSING,
    SUBJECTS,
    USUAL,
    VARIABLE,
    Cells,
    Subject,
    cells_of,
)
from purifold.papers.gm_vae_models import detectors, frechet, samples
from purifold.papers.gm_vae_printed import shares, text
from purifold.papers.gm_vae_sought import forgeries, sought
from purifold.papers.refusals import (
    CoverageFigure,
    KnownTable,
    Refusal,
    RefusalFigure,
    RefusalTable,
    SecondLook,
    SecondLookTable,
)

STANDS_IN = "fashion-mnist"
"""For SVHN."""


def _study(scale: Scale, resources: Resources, seed: int) -> Study:
    subjects = SUBJECTS[scale.name]
    mixtures = [
        cells_of(subject, learning, scale, resources, seed)
        for subject in subjects
        for learning in subject.classifiers
    ]
    plain = [cells_of(subject, USUAL, scale, resources, seed) for subject in subjects]
    first = [cells for cells in mixtures if cells.subject is subjects[0]]
    constant = [cells for cells in first if cells.learning not in VARIABLE]
    variable = [cells for cells in first if cells.learning in VARIABLE]
    exhibits = [
        *(_clean(subject, [*mixtures, *plain]) for subject in subjects),
        _second_look(first[0]),
        _known([first[0], plain[0]]),
        sought([first[0], plain[0]], resources),
        samples(constant),
        _against_budget("fig-3", "constant entropy", [*constant, plain[0]]),
        forgeries(first[0]),
        _against_budget("fig-5", "variable entropy", variable),
        detectors([first[0], *variable]),
        _coverage([first[0], plain[0]]),
        frechet([first[0], *variable], plain[0]),
    ]
    return Study.of(exhibits, ())


def _clean(subject: Subject, found: Sequence[Cells]) -> RefusalTable:
    """With constant entropy, as in the paper's table; what variable entropy does is figure 5."""
    here = [cells for cells in found if cells.subject is subject and cells.learning not in VARIABLE]
    rows = tuple(row for cells in here for row in _refusals(cells))
    return RefusalTable(
        name=f"table-1-{subject.data}",
        caption=f"Clean test images of {subject.data} without and with thresholds, and what attackers who "
        "know them get",
        rows=rows,
        missing=tuple((f"svhn, {name}", shares("clean", "svhn", name)) for name in _absent(subject)),
    )


def _refusals(cells: Cells) -> Iterator[Refusal]:
    tried = {cells.second: cells.inside[cells.second]}
    if cells.second == REFUSING:
        tried[RATED] = cells.rated
    for defense, experiment in tried.items():
        yield Refusal(
            title=cells.title,
            defense=defense,
            bare=cells.answers(BARE),
            refusing=cells.answers(defense),
            experiment=experiment,
            printed=shares("clean", cells.subject.data, cells.learning),
        )


def _absent(subject: Subject) -> Iterable[str]:
    """What learns from the data that is not at hand, where this data stands in for it."""
    return text()["clean"]["svhn"] if subject.data == STANDS_IN else ()


def _second_look(cells: Cells) -> SecondLookTable:
    again = shares("reclassified", cells.subject.data)
    printed = {f"{PROTOCOL} at {epsilon}": share for epsilon, share in again.items()}
    printed |= shares("rejected", cells.subject.data)
    ends = (cells.printed[0], cells.printed[-1])
    return SecondLookTable(
        name="table-2",
        caption=f"Rejected images of {cells.title}, classified again by descent in the latent; who knows "
        "that also seeks images that are rejected and then taken for others",
        rows=tuple(
            SecondLook(
                title=title,
                never=cells.answers(REFUSING, craft),
                refusing=cells.answers(AGAIN, craft),
                always=cells.answers(ALWAYS, craft),
                equation=cells.answers(EQUATION, craft),
                every=None if craft is None else cells.answers(EVERY, craft),
                printed=printed.get(title),
            )
            for title, craft in cells.submitted(cells.sizes.looked).items()
        ),
        followed=(
            ("our descent", cells.followed(ALWAYS, ends)),
            ("our descent, every image looked at", cells.followed(EVERY, ends)),
            ("equation 9", cells.followed(EQUATION, ends[-1:])),
        ),
    )


def _known(found: Sequence[Cells]) -> KnownTable:
    return KnownTable(
        name="known",
        caption="Images accepted and wrong, or rejected, inside L2 budgets, by attackers who know the "
        "classifier alone, and by those who know all",
        rows=tuple((f"{cells.title}, {cells.second}", cells.nearest) for cells in found),
    )


def _against_budget(name: str, entropy: str, found: Sequence[Cells]) -> RefusalFigure:
    return RefusalFigure(
        name=name,
        caption=f"What becomes of images of {found[0].subject.data} under attack; the encoder has {entropy}",
        protocol=PROTOCOL,
        panels=tuple((f"{cells.learning}, {cells.second}", cells.inside[cells.second]) for cells in found),
        ceiling=shares("largest", found[0].subject.data).get("error"),
    )


def _coverage(found: Sequence[Cells]) -> CoverageFigure:
    middle = found[0].subject.epsilons[len(found[0].subject.epsilons) // 2]
    clean, attacked = (
        tuple((f"{cells.learning}, {cells.second}", cells.ranking(epsilon)) for cells in found)
        for epsilon in (None, middle)
    )
    known = tuple((f"{cells.learning}, {cells.second}", cells.known_ranking(middle)) for cells in found)
    return CoverageFigure(
        name="risk-coverage",
        caption=f"Error of what is accepted against how much is, {found[0].subject.data}, at every "
        "threshold; attackers who know all faced the thresholds of table 1, and submit of each image what "
        "serves best of all that was tried",
        panels=(
            ("clean", clean),
            (f"{PROTOCOL} at {middle:g}, classifier known", attacked),
            (f"worst case at {middle:g}, all known", known),
        ),
    )


GM_VAE = Paper(
    name="gm-vae",
    title="Gaussian-mixture VAEs that may refuse",
    summary="a classifier that refuses what its decoder doubts, by attackers who know its thresholds",
    study=_study,
)
