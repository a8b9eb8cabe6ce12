"""Learning rates as a formula of the update's number, so that a resumed run has no scheduler to restore."""

import math

from purifold.training.config import TrainingConfig

WARM_UP = 0.3
START = 1 / 25
END = START / 1e4


def rate(config: TrainingConfig, update: int, updates: int) -> float:
    """Learning rate of update `update`, counted from 0, of `updates` in all epochs.

    "cosine" falls from the peak to 0: Loshchilov and Hutter, 2017, arXiv:1608.03983, equation 5, without
    restarts. "one-cycle" climbs from peak / 25 over the first 30 % of the updates and falls to
    peak / 250,000 over the others: Smith and Topin, 2018, arXiv:1708.07120, section 2.
    Differs: both ways follow a cosine and the momentum stays, as practice has it since.
    """
    peak = config.learning_rate
    if config.schedule == "constant":
        return peak
    if config.schedule == "cosine":
        return _between(peak, 0.0, update / updates)
    summit = WARM_UP * updates - 1
    if update <= summit:
        return _between(peak * START, peak, update / summit if summit > 0 else 1.0)
    return _between(peak, peak * END, (update - summit) / max(updates - 1 - summit, 1))


def _between(start: float, end: float, progress: float) -> float:
    return end + (start - end) * (1 + math.cos(math.pi * progress)) / 2
