"""A Gaussian-mixture VAE that may refuse: `gm-vae`.

Ghosh, Losalka and Black, 2019, "Resisting adversarial attacks using Gaussian mixture variational
autoencoders", tables 1 and 2, figures 2 to 5. Beside it what the paper lacks: attackers who know the
detectors, attackers who want images refused, inputs that show no class, and a plain classifier with a
reconstruction-error detector.

Differs: SVHN is not at hand, and Fashion-MNIST and CIFAR-10 stand in for it.
"""

import tomllib
from collections.abc import Iterable, Iterator, Mapping, Sequence
from functools import cache
from importlib import resources as package
from typing import Any, cast

from purifold.attacks.pgd import PGD
from purifold.engine.scale import Scale
from purifold.engine.step import Resources
from purifold.engine.steps.alarms import Alarms
from purifold.engine.steps.craft import Craft
from purifold.engine.steps.data import Data
from purifold.engine.steps.flood import Flood
from purifold.engine.steps.forgery import Forgery
from purifold.engine.steps.frechet import Frechet
from purifold.engine.steps.samples import Samples
from purifold.engine.steps.train_classifier import TrainClassifier
from purifold.engine.steps.train_mixture import TrainMixture
from purifold.engine.steps.unseen import Unseen
from purifold.papers.base import Paper, Study
from purifold.papers.gm_vae_cells import (
    AGAIN,
    ALWAYS,
    BARE,
    DESCENTS,
    EQUATION,
    FREE,
    PRINTED,
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
from purifold.papers.refusals import (
    AlarmsTable,
    CoverageFigure,
    ForgeryFigure,
    FrechetTable,
    KnownTable,
    Refusal,
    RefusalFigure,
    RefusalTable,
    SamplesFigure,
    SecondLook,
    SecondLookTable,
    SoughtTable,
)
from purifold.threat import ThreatModel

SHOWN, EACH = 10, 8
"""Classes and images of each among the samples."""
FLOODING = PGD(steps=20)
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
        _sought([first[0], plain[0]], resources),
        _samples(constant),
        _against_budget("fig-3", "constant entropy", [*constant, plain[0]]),
        _forgeries(first[0]),
        _against_budget("fig-5", "variable entropy", variable),
        _detectors([first[0], *variable]),
        _coverage([first[0], plain[0]]),
        _frechet([first[0], *variable], plain[0]),
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
        missing=tuple((f"svhn, {name}", _shares("clean", "svhn", name)) for name in _absent(subject)),
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
            printed=_shares("clean", cells.subject.data, cells.learning),
        )


def _absent(subject: Subject) -> Iterable[str]:
    """What learns from the data that is not at hand, where this data stands in for it."""
    return _text()["clean"]["svhn"] if subject.data == STANDS_IN else ()


def _second_look(cells: Cells) -> SecondLookTable:
    printed = _shares("reclassified", cells.subject.data)
    shares = {f"{PROTOCOL} at {epsilon}": share for epsilon, share in printed.items()}
    shares |= _shares("rejected", cells.subject.data)
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
                printed=shares.get(title),
            )
            for title, craft in _submitted(cells, cells.sizes.looked).items()
        ),
        followed=(("our descent", cells.followed(ALWAYS)), ("equation 9", cells.followed(EQUATION))),
    )


def _submitted(cells: Cells, count: int) -> Mapping[str, Craft | None]:
    """Clean images, and those of the paper's attack at the budgets that it prints."""
    budgets = [epsilon for epsilon in cells.subject.epsilons if epsilon in PRINTED]
    attacked = {f"{PROTOCOL} at {epsilon:g}": cells.craft(epsilon, count) for epsilon in budgets}
    return {"clean": None, **attacked}


def _known(found: Sequence[Cells]) -> KnownTable:
    return KnownTable(
        name="known",
        caption="Images accepted and wrong, or rejected, inside L2 budgets, by attackers who know the "
        "classifier alone, and by those who know all",
        rows=tuple((f"{cells.title}, {cells.second}", cells.nearest) for cells in found),
    )


def _sought(found: Sequence[Cells], resources: Resources) -> SoughtTable:
    rows = [
        (f"{cells.title}, {cells.second}", step) for cells in found for step in _attempts(cells, resources)
    ]
    return SoughtTable(
        name="sought",
        caption="Inputs of no class accepted, accepted images made refused, and forgeries, which need both "
        "detectors",
        rows=tuple(rows),
    )


def _attempts(cells: Cells, resources: Resources) -> Iterator[Unseen | Flood | Forgery]:
    sizes, system, seed = cells.sizes, cells.refusing, cells.inside[BARE].seed
    for source in ("uniform", "gaussian", Data.named(cells.subject.other, resources)):
        yield Unseen(system=system, source=source, count=sizes.noise, seed=seed)
    for epsilon in cells.subject.epsilons[:: len(cells.subject.epsilons) - 1]:
        threat = ThreatModel("linf", epsilon)
        yield Flood(system=system, count=sizes.known, attack=FLOODING, threat=threat, seed=seed)
    if cells.second == REFUSING:
        yield from _forged(cells)


def _forged(cells: Cells) -> tuple[Forgery, Forgery]:
    """From images by equation 10, and from noise by equation 11."""
    system, each, seed = cells.refusing, cells.sizes.forged, cells.inside[BARE].seed
    return (
        Forgery(system=system, each=each, rubbish=False, descents=DESCENTS, seed=seed),
        Forgery(system=system, each=each, rubbish=True, descents=FREE, seed=seed),
    )


def _forgeries(cells: Cells) -> ForgeryFigure:
    images, noise = _forged(cells)
    return ForgeryFigure(
        name="fig-4",
        caption=f"Forgeries of {cells.title} for each class, and what they decode to",
        rows=(("equation 10", images), ("equation 11, noise", noise)),
    )


def _samples(found: Sequence[Cells]) -> SamplesFigure:
    models = [(cells.learning, cells.inside[BARE]) for cells in found]
    return SamplesFigure(
        name="fig-2",
        caption=f"Samples of the classes of {found[0].subject.data}",
        blocks=tuple(
            (
                title,
                Samples(
                    autoencoder=cast(TrainMixture, bare.system.classifier),
                    classes=SHOWN,
                    each=EACH,
                    seed=bare.seed,
                ),
            )
            for title, bare in models
        ),
    )


def _against_budget(name: str, entropy: str, found: Sequence[Cells]) -> RefusalFigure:
    return RefusalFigure(
        name=name,
        caption=f"What becomes of images of {found[0].subject.data} under attack; the encoder has {entropy}",
        protocol=PROTOCOL,
        panels=tuple((f"{cells.learning}, {cells.second}", cells.inside[cells.second]) for cells in found),
        ceiling=_shares("largest", found[0].subject.data).get("error"),
    )


def _detectors(found: Sequence[Cells]) -> AlarmsTable:
    rows = [
        (cells.learning, title, Alarms(system=cells.refusing, count=cells.sizes.attacked, craft=craft))
        for cells in found
        for title, craft in _submitted(cells, cells.sizes.attacked).items()
    ]
    return AlarmsTable(
        name="detectors",
        caption=f"Which detectors turn images of {found[0].subject.data} away, each at its threshold of "
        f"table 1: clean images and those of {PROTOCOL} on the classifier",
        rows=tuple(rows),
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


def _frechet(found: Sequence[Cells], plain: Cells) -> FrechetTable:
    """Of constant and of variable entropy, in the features of a classifier of the same data."""
    printed: Mapping[str, float] = _text()["frechet"]["celeba"]
    reader = cast(TrainClassifier, plain.inside[BARE].system.classifier)
    rows = []
    for cells in found:
        bare = cells.inside[BARE]
        step = Frechet(autoencoder=cast(TrainMixture, bare.system.classifier), reader=reader, seed=bare.seed)
        rows.append((cells.title, step, printed.get(cells.learning)))
    return FrechetTable(
        name="frechet",
        caption=f"How far samples lie from test images of {found[0].subject.data}; last, how far these lie "
        "from each other, half from half. Decoded from draws of the prior, or of Gaussians fitted to "
        "held-out images' noisy codes, one a class. That constant entropy's are nearer is the paper's claim",
        rows=tuple(rows),
    )


def _shares(*path: str) -> Mapping[str, float]:
    """Shares that the paper prints at this place of its file; none where it prints nothing."""
    found: Any = _text()
    for name in path:
        found = found.get(name, {})
    return {name: percent / 100 for name, percent in found.items()}


@cache
def _text() -> Mapping[str, Any]:
    return tomllib.loads(package.files("purifold.papers").joinpath("gm_vae.toml").read_text())


GM_VAE = Paper(
    name="gm-vae",
    title="Gaussian-mixture VAEs that may refuse",
    summary="a classifier that refuses what its decoder doubts, by attackers who know its thresholds",
    study=_study,
)
