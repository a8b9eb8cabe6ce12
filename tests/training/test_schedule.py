import pytest
import torch
from torch.optim import SGD
from torch.optim.lr_scheduler import CosineAnnealingLR, OneCycleLR

from purifold.training.config import TrainingConfig
from purifold.training.schedule import rate


def rates_of_torch(schedule, updates, peak):
    optimizer = SGD([torch.zeros(1, requires_grad=True)], lr=peak)
    kind = {
        "cosine": lambda: CosineAnnealingLR(optimizer, T_max=updates),
        "one-cycle": lambda: OneCycleLR(optimizer, max_lr=peak, total_steps=updates, cycle_momentum=False),
    }
    scheduler = kind[schedule]()
    rates = []
    for _ in range(updates):
        rates.append(optimizer.param_groups[0]["lr"])
        optimizer.step()
        if len(rates) < updates:
            scheduler.step()
    return rates


@pytest.mark.parametrize("schedule", ["cosine", "one-cycle"])
@pytest.mark.parametrize("updates", [10, 37, 200])
def test_rates_are_those_of_torch(schedule, updates):
    config = TrainingConfig(epochs=1, learning_rate=0.3, schedule=schedule)
    ours = [rate(config, update, updates) for update in range(updates)]
    assert ours == pytest.approx(rates_of_torch(schedule, updates, 0.3), rel=1e-6, abs=1e-12)


def test_cosine_is_at_half_the_peak_half_way():
    config = TrainingConfig(epochs=1, learning_rate=0.2, schedule="cosine")
    assert rate(config, 50, 100) == pytest.approx(0.1)
    assert rate(config, 0, 100) == 0.2


@pytest.mark.parametrize("updates", [1, 2, 3, 4])
@pytest.mark.parametrize("schedule", ["constant", "cosine", "one-cycle"])
def test_short_trainings_get_rates_between_0_and_the_peak(schedule, updates):
    config = TrainingConfig(epochs=1, learning_rate=0.2, schedule=schedule)
    assert all(0 < rate(config, update, updates) <= 0.2 for update in range(updates))
