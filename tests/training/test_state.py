"""The state of a training goes on as if unbroken, whatever the layout of the weights in memory."""

import pytest
import torch
from torch import nn

from purifold.losses import cross_entropy
from purifold.training.config import TrainingConfig
from purifold.training.objective import optimizer
from purifold.training.state import State


class NoScaler:
    def state_dict(self):
        return {}

    def load_state_dict(self, found):
        assert not found


def network():
    torch.manual_seed(0)
    layers = nn.Sequential(nn.Conv2d(3, 6, 3), nn.ReLU(), nn.Conv2d(6, 5, 3), nn.Flatten(), nn.Linear(20, 4))
    return layers.to(memory_format=torch.channels_last)


def update(model, optimizer, step):
    torch.manual_seed(step)
    images = torch.rand(8, 3, 6, 6).to(memory_format=torch.channels_last)
    optimizer.zero_grad()
    cross_entropy(model(images), torch.randint(4, (8,))).mean().backward()
    optimizer.step()


def weights(model):
    return torch.cat([weight.detach().flatten() for weight in model.parameters()])


@pytest.mark.parametrize("kind", ["adam", "adamw"])
def test_fused_is_unfused_also_after_a_resume(tmp_path, kind):
    config = TrainingConfig(epochs=1, optimizer=kind, learning_rate=0.01, weight_decay=0.1)
    expected, model = network(), network()
    plain = {"adam": torch.optim.Adam, "adamw": torch.optim.AdamW}[kind]
    unfused = plain(expected.parameters(), lr=0.01, weight_decay=0.1, fused=False, foreach=False)
    for step in range(6):
        update(expected, unfused, step)

    first = optimizer(model, config)
    for step in range(3):
        update(model, first, step)
    State(model=model, optimizer=first, scaler=NoScaler()).save(tmp_path, {})
    resumed = network()
    second = optimizer(resumed, config)
    State(model=resumed, optimizer=second, scaler=NoScaler()).resume(tmp_path, {})
    for step in range(3, 6):
        update(resumed, second, step)
    assert (weights(resumed) - weights(expected)).abs().max() < 1e-6


@pytest.mark.parametrize("kind", ["adam", "adamw", "sgd"])
def test_what_has_all_but_decayed_is_dropped_and_nothing_else(kind):
    config = TrainingConfig(epochs=1, optimizer=kind, learning_rate=1e-6, weight_decay=0.1)
    model = network()
    chosen = optimizer(model, config)
    state = State(model=model, optimizer=chosen, scaler=NoScaler())
    state.drop_vanished()
    update(model, chosen, 0)
    last = model[-1].weight
    name = "momentum_buffer" if kind == "sgd" else "exp_avg"
    with torch.no_grad():
        last[0, :3] = torch.tensor([3e-39, -1e-21, 1e-19])
        chosen.state[last][name][1, :2] = torch.tensor([-1e-40, 1e-19])
    before, moment = weights(model), chosen.state[last][name].clone()
    state.drop_vanished()
    assert last[0, :3].tolist() == torch.tensor([0.0, 0.0, 1e-19]).tolist()
    assert chosen.state[last][name][1, :2].tolist() == torch.tensor([0.0, 1e-19]).tolist()
    assert (weights(model) != before).sum() == 2
    assert (chosen.state[last][name] != moment).sum() == 1
