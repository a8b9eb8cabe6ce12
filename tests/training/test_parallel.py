import subprocess
import sys
from pathlib import Path

import pytest

SCRIPT = """
import sys
import torch
from torch import nn
sys.path.insert(0, sys.argv[1])
from conftest import cross_entropy, make_split
from purifold.errors import Failure
from purifold.training.config import TrainingConfig
from purifold.training.fit import fit

CONFIG = TrainingConfig(epochs=2, batch_size=16, optimizer="sgd", learning_rate=0.1)


def linear():
    torch.manual_seed(1)
    return nn.Sequential(nn.Flatten(), nn.Linear(36, 3))


def no_number(model, images, labels):
    return cross_entropy(model, images, labels) * float("nan")


def train(model, loss, **further):
    return fit(
        model, make_split(), loss, CONFIG,
        seed=3, validation=make_split(20, 7), accelerator="cpu", **further,
    )


if __name__ == "__main__":
    one, two, told = linear(), linear(), []
    expected, got = train(one, cross_entropy), train(two, cross_entropy, devices=2, progress=told.append)
    torch.testing.assert_close(two.state_dict(), one.state_dict())
    torch.testing.assert_close(got.train_loss, expected.train_loss)
    torch.testing.assert_close(got.validation_loss, expected.validation_loss)
    assert [(event.epoch, event.step) for event in told] == [(e, s) for e in (1, 2) for s in (1, 2, 3, 4)]
    try:
        train(two, no_number, devices=2)
    except Failure as error:
        assert str(error).startswith("the training loss is nan in epoch 1, step 1 of 4"), error
        print("agreed")
"""


@pytest.mark.slow
def test_two_processes_train_what_one_trains_and_fail_as_one(tmp_path):
    """On the CPU; GPUs take the same path with another backend."""
    script = tmp_path / "script.py"
    script.write_text(SCRIPT)
    command = [sys.executable, script, Path(__file__).parent]
    ended = subprocess.run(command, capture_output=True, text=True, timeout=300, check=False)
    assert ended.stdout == "agreed\n", ended.stderr
