"""The grid of `ae-robustness`: which autoencoders, on which data sets, attacked how."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Literal, TypeAlias, final

from purifold.defenses.reconstruction import CONTRACTION
from purifold.engine.compose import Question, compose
from purifold.engine.experiment import Experiment
from purifold.engine.scale import Scale
from purifold.engine.step import Resources
from purifold.engine.steps.codes import Codes, Shift
from purifold.papers.exhibit import CodesAt
from purifold.threat import ThreatModel

PROTOCOL = "cw-l2"
ATTACKS = (
    "cw-l2:search=bisect,search_steps=1,initial_c=1,steps=100,rate=0.1",
    "i-fgsm",
    "deepfool",
)
"""Beside PGD, whose steps the grid sets."""
AVERAGED = ("pgd",)
"""Attacks that also average over the sampling."""
PAPER_IMAGES = 1_000
CONTRACTED_AT = 0.1
"""Noise of the contractive autoencoders, Fig. 4."""
Kind: TypeAlias = Literal["ae", "dae", "vae", "dvae", "cae", "cvae"]
PLAIN: Mapping[Kind, Kind] = {"dae": "ae", "dvae": "vae", "cae": "ae", "cvae": "vae"}
"""What each of them is without its noise or its penalty."""


@final
@dataclass(frozen=True, kw_only=True)
class Sweep:
    """What varies between the autoencoders of a data set.

    Args:
        noise: Standard deviations of the training noise ("stp"), ascending from 0.
        scales: Latent scales of Fig. 3, ascending.
        coefficients: Of the contractive penalty, ascending from 0.
    """

    noise: tuple[float, ...]
    scales: tuple[float, ...]
    coefficients: tuple[float, ...]

    @property
    def most(self) -> float:
        """The largest noise."""
        return self.noise[-1]


@final
@dataclass(frozen=True, kw_only=True)
class Subject:
    """A data set of the paper.

    Args:
        data: Its name.
        classifier: The network that is protected.
        epsilons: L-infinity budgets of the paper.
        beyond: Larger ones, where those leave much of the bare classifier: what stands at all budgets says
            nothing about a defense.
        telling: The budget of Fig. 5, where performance starts to fall.
        sweep: The autoencoders.
        images: Test images attacked; None: as many as in the paper.
        seen: Training images the classifier sees, over all epochs; None: the scale's.
        latent: Latent units of the autoencoders.
        batch_size: Images an update of an autoencoder; None: the scale's.
    """

    data: str
    classifier: str = "ae-robustness"
    epsilons: tuple[float, ...]
    beyond: tuple[float, ...] = ()
    telling: float
    sweep: Sweep
    images: int | None = None
    seen: int | None = None
    latent: int = 128
    batch_size: int | None = None


@final
@dataclass(frozen=True, kw_only=True)
class Grid:
    """How fine the study is.

    Args:
        subjects: Data sets.
        audit: Images of the sanity checks that make attacks of their own, on three systems of each data set;
            None: the scale's.
        encoded: Training images an autoencoder sees, over all epochs; None: the scale's.
        pgd: Steps of PGD.
        eot: Draws that it averages over; None: the scale's.
    """

    subjects: tuple[Subject, ...]
    audit: int | None = None
    encoded: int | None = None
    pgd: int
    eot: int | None = None


FULL = Sweep(
    noise=(0.0, 0.1, 0.2, 0.3, 0.4),
    scales=(0.0, 0.001, 0.01, 0.1, 1.0, 3.0, 10.0),
    coefficients=(0.0, 0.001, 0.01, 0.1, 1.0),
)
COARSE = Sweep(noise=(0.0, 0.2, 0.4), scales=(0.0, 1.0, 10.0), coefficients=(0.0, 0.1, 1.0))
ENDS = Sweep(noise=(0.0, 0.4), scales=(0.0, 1.0, 10.0), coefficients=(0.0, 0.1))

GREY_BUDGETS = (0.05, 0.1, 0.15, 0.2, 0.25, 0.3)
MNIST = Subject(data="mnist", epsilons=GREY_BUDGETS, telling=0.1, sweep=FULL)
FASHION = replace(MNIST, data="fashion-mnist")
BTSC = Subject(
    data="btsc",
    epsilons=(0.005, 0.01, 0.015, 0.02, 0.025, 0.03),
    beyond=(0.1,),
    telling=0.015,
    sweep=FULL,
)
CIFAR = Subject(
    data="cifar-10",
    classifier="resnet",
    epsilons=(2 / 255, 4 / 255, 8 / 255),
    telling=2 / 255,
    sweep=FULL,
    latent=512,
)
DIGITS = Subject(
    data="digits",
    classifier="small-cnn",
    epsilons=(0.1, 0.2),
    telling=0.1,
    sweep=Sweep(noise=(0.0, 0.2), scales=(0.0, 1.0), coefficients=(0.0, 0.1)),
    images=40,
    latent=16,
)


def _coarse(subject: Subject, *epsilons: float, images: int = 100, seen: int = 180_000) -> Subject:
    return replace(subject, epsilons=epsilons, sweep=COARSE, images=images, seen=seen)


GRIDS: Mapping[str, Grid] = {
    "smoke": Grid(subjects=(DIGITS,), audit=0, pgd=20),
    "cpu": Grid(
        subjects=(
            _coarse(MNIST, 0.1, 0.2),
            _coarse(FASHION, 0.05, 0.1),
            _coarse(BTSC, 0.015, 0.03),
            replace(_coarse(CIFAR, 2 / 255, 8 / 255, images=50, seen=250_000), sweep=ENDS, batch_size=32),
        ),
        audit=16,
        encoded=80_000,
        pgd=20,
    ),
    "paper": Grid(subjects=(MNIST, FASHION, BTSC, CIFAR), encoded=600_000, pgd=50, eot=10),
}
"""By scale. The paper attacks 1,000 images of each data set, and so does `paper`."""


@final
@dataclass(frozen=True, kw_only=True)
class Cells:
    """The experiments of one data set, by how their autoencoders were trained."""

    subject: Subject
    found: Mapping[str, Experiment]

    def noisy(self, kind: Kind, noise: float) -> Experiment:
        """An autoencoder trained with noise; without any, denoising is plain."""
        return self.found[_noisy(kind, noise)]

    def scaled(self, kind: Kind, scale: float) -> Experiment:
        """A variational autoencoder trained with the most noise, sampled at this scale."""
        return self.found[_scaled(kind, self.subject.sweep.most, scale)]

    def contracted(self, kind: Kind, coefficient: float) -> Experiment:
        """A contractive autoencoder; without a penalty it is a plain one."""
        return self.found[_contracted(kind, coefficient)]

    def codes(self, kind: Kind, noise: float) -> CodesAt:
        """Where such an autoencoder puts clean and attacked images."""
        experiment = self.noisy(kind, noise)
        (autoencoder,) = experiment.system.autoencoders
        threat = ThreatModel(experiment.norm, self.subject.telling)
        craft = next(
            craft for craft in experiment.crafts("adaptive", threat) if craft.attack.name == PROTOCOL
        )
        return CodesAt(
            x=noise, codes=Codes(autoencoder=autoencoder), shift=Shift(autoencoder=autoencoder, craft=craft)
        )


def _noisy(kind: Kind, noise: float) -> str:
    return f"{kind}:noise_std={noise}" if noise else PLAIN.get(kind, kind)


def _scaled(kind: Kind, noise: float, scale: float) -> str:
    return f"{kind}:noise_std={noise},latent_scale={scale}" if scale != 1 else _noisy(kind, noise)


def _contracted(kind: Kind, coefficient: float) -> str:
    if not coefficient:
        return _noisy(PLAIN[kind], CONTRACTED_AT)
    weight = "" if coefficient == CONTRACTION else f",contractive_weight={coefficient}"
    return f"{kind}:noise_std={CONTRACTED_AT}{weight}"


def cells_of(subject: Subject, grid: Grid, scale: Scale, resources: Resources, seed: int) -> Cells:
    """The experiments of one data set; what is equal in two figures is one experiment."""
    sweep = subject.sweep
    texts = [
        *(_noisy(kind, noise) for kind in ("ae", "dae", "vae", "dvae") for noise in sweep.noise),
        *(_scaled(kind, sweep.most, factor) for kind in ("vae", "dvae") for factor in sweep.scales),
        *(_contracted(kind, weight) for kind in ("cae", "cvae") for weight in sweep.coefficients),
    ]
    question = Question(
        data=subject.data,
        defenses=tuple(dict.fromkeys(["none", *texts])),
        attacks=(*ATTACKS, f"pgd:steps={grid.pgd}"),
        epsilons=(*subject.epsilons, *subject.beyond),
        knowledge=("adaptive",),
        classifier=subject.classifier,
        autoencoder="ae-robustness",
        latent=subject.latent,
        seed=seed,
    )
    audited = {"none", _noisy("dae", sweep.most), _noisy("vae", sweep.most)}
    scale = replace(
        scale,
        images=subject.images or PAPER_IMAGES,
        seen=subject.seen or scale.seen,
        encoded=grid.encoded or scale.encoded,
        audit=scale.audit if grid.audit is None else grid.audit,
        eot=grid.eot or scale.eot,
        batch_size=subject.batch_size or scale.batch_size,
    )
    experiments = compose(question, scale, resources)
    return Cells(
        subject=subject,
        found={
            text: replace(
                experiment,
                averaged=AVERAGED,
                audit=experiment.audit if text in audited else 0,
                pictures=0,  # the page shows figures
            )
            for text, experiment in zip(question.defenses, experiments, strict=True)
        },
    )
