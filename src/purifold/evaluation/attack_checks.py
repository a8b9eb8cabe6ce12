"""Checks that the attacks are strong enough for their failure to mean something."""

import math
from functools import reduce

import torch

from purifold.attacks.base import Attack
from purifold.attacks.square import Square
from purifold.evaluation.check import OF_ATTACKS, Verdict, at_most, check, most
from purifold.evaluation.evaluate import numbered
from purifold.evaluation.intervals import Proportion, probably_more
from purifold.evaluation.surface import surface
from purifold.evaluation.trial import Trial, doubled, steps
from purifold.threat import ThreatModel
from purifold.types import Model

LEFT = 0.01
"""Share of images that an attack may leave the undefended classifier, or leave for a weaker attacker."""
QUERIES = 500
"""Of Square, for each image."""
TOGETHER, SINGLES = 64, 8
"""Images attacked in one batch, and those of them attacked again one by one."""
SAME = 1e-6
TIE = 1e-9
"""Weight of the pattern that breaks ties."""


@check(
    OF_ATTACKS,
    why="an attack too weak for no defense says nothing about one; more steps, or a larger largest epsilon",
)
def breaks_undefended(trial: Trial) -> Verdict:
    """Whether the attacks of the evaluation break the bare classifier at this budget."""
    right = trial.right(trial.undefended)
    count = int(right.sum())
    if count == 0:
        return Verdict(None, "the classifier is right on none of the images", "a trained classifier")
    attacks = numbered(trial.attacks)
    left = trial.kept(trial.undefended, list(attacks.values()), trial.threat, among=right)
    kept = Proportion(int(left.sum()), count)
    measured = f"{', '.join(attacks)} left {kept} of the images right when clean, at {trial.threat}"
    wanted = f"at most {LEFT:.0%} (up to {most(LEFT, count)} of {count})"
    return Verdict(at_most(kept, LEFT), measured, wanted)


@check(
    "more steps never help the defense",
    why="an attack that gets worse as it goes on overshoots, loses its best image or follows noise",
)
def more_steps(trial: Trial) -> Verdict:
    """Whether the attacks leave more images when their steps are doubled.

    All of them together, as the worst case counts them: alone, a minimum-norm attack that goes on stops
    nearer to the boundary, where a stochastic system's draws are more often right.
    """
    once = reduce(torch.logical_and, trial.left.values())
    twice = trial.kept(
        trial.defended, [doubled(attack) for attack in trial.calibrators.values()], trial.threat
    )
    taken = ", ".join(f"{label} with {steps(attack)}" for label, attack in trial.calibrators.items())
    measured = f"{Proportion.of(once)} left by {taken} steps, {Proportion.of(twice)} by twice as many"
    wanted = "no more images left at twice the steps (exact one-sided test of the same images, 5 %)"
    return Verdict(not probably_more(twice, once), measured, wanted)


@check(
    "unbounded attack reaches chance",
    why="without a budget any image can be turned into another class: what stops the attack is masking",
)
def unbounded_reaches_chance(trial: Trial) -> Verdict:
    """Whether attacks that may change an image at will leave no more than guessing would."""
    chance = 1 / len(trial.split.classes)
    unbounded = ThreatModel(trial.threat.norm, math.inf)
    kept = Proportion.of(trial.kept(trial.defended, list(trial.calibrators.values()), unbounded))
    measured = f"{', '.join(trial.calibrators)} left {kept}"
    wanted = f"at most {chance:.1%} (up to {most(chance, kept.trials)} of {kept.trials})"
    return Verdict(at_most(kept, chance), measured, wanted)


@check(
    "white box <= black box",
    why="knowing more cannot hurt an attacker: gradients are masked or the white-box attack is too weak",
)
def white_box_beats_black_box(trial: Trial) -> Verdict:
    """Whether an attacker with scores alone breaks images that the adaptive one left."""
    white = reduce(torch.logical_and, trial.left.values())
    square = Square(queries=QUERIES)
    black = trial.kept(trial.defended, [square], trial.threat, "scores", among=white)
    fell = Proportion(int((white & ~black).sum()), len(white))
    left = f"{', '.join(trial.left)} left {Proportion.of(white)}"
    measured = f"{left}; of these square ({QUERIES} queries) broke {fell.successes}"
    wanted = f"at most {LEFT:.0%} of all (up to {most(LEFT, fell.trials)} of {fell.trials})"
    return Verdict(at_most(fell, LEFT), measured, wanted)


@check(
    f"same result at batch size 1 and {TOGETHER}",
    why="a step, a stop or a normalisation depends on the other images of the batch",
)
def batch_independent(trial: Trial) -> Verdict:
    """Whether an image gets the same adversarial image alone as among others.

    In float64, where the order of a sum cannot decide the sign of a step; sampling off, no detectors. A faint
    pattern keeps the pixels of a flat region apart: between equal ones max pooling chooses by a difference of
    1e-17, which the size of the batch decides.
    """
    wanted = f"no pixel differs by more than {SAME:g}"
    precise = trial.precise
    if precise is None:
        return Verdict(None, "the system does not run in float64", wanted)
    model = _without_ties(surface(precise, "adaptive"), trial)
    apart = {label: _apart(trial, model, attack) for label, attack in numbered(trial.attacks).items()}
    count = min(SINGLES, len(trial.split))
    measured = ", ".join(f"{label} differs by {most:.2g}" for label, most in apart.items())
    return Verdict(max(apart.values()) <= SAME, f"{measured}, of {count} images", wanted)


def _without_ties(model: Model, trial: Trial) -> Model:
    device = trial.split.labels.device
    shape = trial.split.first(1).images().shape
    generator = torch.Generator().manual_seed(trial.seed)
    pattern = torch.rand(shape, generator=generator, dtype=torch.float64).to(device)
    return lambda images: model(images.lerp(pattern.expand_as(images), TIE))


def _apart(trial: Trial, model: Model, attack: Attack) -> float:
    """Largest difference of a pixel between images attacked alone and together."""
    split = trial.split.first(TOGETHER)
    images, labels, few = split.images().double(), split.labels, slice(SINGLES)
    together = attack(model, images, labels, trial.threat, seed=trial.seed, batch_size=TOGETHER)
    alone = attack(model, images[few], labels[few], trial.threat, seed=trial.seed, batch_size=1)
    return float((alone - together[few]).abs().max())
