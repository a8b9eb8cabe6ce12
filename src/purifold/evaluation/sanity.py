"""The checks that run with every evaluation and mark its record unreliable when one fails.

They catch mistakes that have made defenses look robust before (Athalye et al., 2018, arXiv:1802.00420;
Carlini et al., 2019, arXiv:1902.06705; Tramer et al., 2020, arXiv:2002.08347). Passing them proves nothing.
"""

from collections.abc import Sequence

import torch
from torch import nn

from purifold.attacks.base import Attack
from purifold.checks import check_at_least, check_evaluating
from purifold.data.split import Split
from purifold.defenses.base import Defended
from purifold.errors import InputError
from purifold.evaluation.attack_checks import (
    batch_independent,
    breaks_undefended,
    more_steps,
    unbounded_reaches_chance,
    white_box_beats_black_box,
)
from purifold.evaluation.check import Check
from purifold.evaluation.evaluate import EOT
from purifold.evaluation.gradient_checks import gradients_agree, gradients_exist, randomness_declared
from purifold.evaluation.outcome import Outcome
from purifold.evaluation.outcome_checks import adaptive_beats_oblivious, budget_kept
from purifold.evaluation.trial import Trial
from purifold.threat import ThreatModel

OF_OUTCOMES = (budget_kept, adaptive_beats_oblivious)
OF_TRIAL = (
    randomness_declared,
    gradients_exist,
    gradients_agree,
    batch_independent,
    breaks_undefended,
    more_steps,
    unbounded_reaches_chance,
    white_box_beats_black_box,
)


def sanity(
    defended: Defended,
    split: Split,
    attacks: Sequence[Attack],
    threat: ThreatModel,
    outcomes: Sequence[Outcome] = (),
    *,
    seed: int,
    images: int = 64,
    eot: int = EOT,
    batch_size: int | None = None,
    bare: nn.Module | None = None,
) -> list[Check]:
    """All checks of one system at one budget; `unreliable` sums them up.

    On images spread evenly over the split: each attack of many steps runs about three times on the system
    (once with twice its steps) and once on the bare classifier, Square with 500 queries where they left
    anything, and 8 images go through each attack one by one. PGD stands in where no attack counts steps.
    With no images to try, only the checks of the outcomes are made.

    Args:
        defended: The system that was evaluated, in evaluation mode, on the device of `split`.
        split: The images that were evaluated.
        attacks: Those of the evaluation.
        threat: The largest budget of the table.
        outcomes: Those of the evaluation, at all budgets and knowledge levels.
        seed: Of attacks and judge.
        images: How many are tried.
        eot: Draws that an attacker of a stochastic system averages.
        batch_size: Images at a time; None: `purifold.batches.at_once`.
        bare: The classifier without the defense, where that brings one of its own (adversarial training).
    """
    check_evaluating(defended, "defended")
    check_at_least(images, 0, "images")
    if not attacks:
        raise InputError("attacks must hold the attacks of the evaluation, got none")
    of_outcomes = [check(outcomes) for check in OF_OUTCOMES]
    if images == 0:
        return of_outcomes
    rows = torch.linspace(0, len(split) - 1, min(images, len(split)), device=split.labels.device)
    trial = Trial(defended, split.select(rows.long()), attacks, threat, seed, eot, batch_size, bare)
    return of_outcomes + [check(trial) for check in OF_TRIAL]
