import errno
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
import torch

from purifold.errors import Failure, InputError
from purifold.training.checkpoint import load_into, save_weights
from purifold.training.state import CHECKPOINT

KINDS = [
    {"optimizer": "sgd", "momentum": 0.9, "schedule": "cosine", "learning_rate": 0.05},
    {"optimizer": "sgd", "momentum": 0.0},
    {"optimizer": "adam", "schedule": "one-cycle", "augment": "flip-crop"},
    {"optimizer": "adamw", "weight_decay": 0.1, "precision": "bf16-mixed"},
    {"optimizer": "adam", "patience": 2, "learning_rate": 0.05},
]


class Killed(BaseException):
    """What no code under test catches."""


def killer(epoch, step):
    def progress(told):
        if (told.epoch, told.step) == (epoch, step):
            raise Killed

    return progress


def unseconds(history):
    return history.train_loss, history.validation_loss, history.learning_rate


@pytest.mark.parametrize("kind", KINDS, ids=lambda kind: "-".join(map(str, kind.values())))
@pytest.mark.parametrize("moment", [(1, 2), (2, 1), (3, 4), (4, 3), (5, 4)])
def test_a_run_killed_in_any_epoch_and_resumed_gives_the_weights_of_the_unbroken_run(
    train, network, split, same, *, tmp_path, kind, moment
):
    unbroken, broken = network(), network()
    arguments = {"validation": split(20, 7), "epochs": 5, "seed": 3, **kind}
    expected = train(unbroken, **arguments)
    if len(expected) < moment[0]:
        pytest.skip("stopped earlier")
    with pytest.raises(Killed):
        train(broken, folder=tmp_path, progress=killer(*moment), **arguments)
    fresh = network()
    told = []
    history = train(fresh, folder=tmp_path, progress=lambda one: told.append(one.epoch), **arguments)
    assert same(unbroken, fresh)
    assert unseconds(history) == unseconds(expected)
    assert told[0] == moment[0]


@pytest.mark.parametrize("every", [2, 3, 10])
def test_sparse_checkpoints_resume_from_the_latest(train, network, same, tmp_path, every):
    unbroken, fresh = network(), network()
    train(unbroken, epochs=5)
    with pytest.raises(Killed):
        train(network(), folder=tmp_path, every=every, progress=killer(5, 2), epochs=5)
    told = []
    train(fresh, folder=tmp_path, every=every, progress=lambda one: told.append(one.epoch), epochs=5)
    assert same(unbroken, fresh)
    assert told[0] == {2: 5, 3: 4, 10: 1}[every]


def test_a_finished_run_is_not_trained_again(train, network, split, same, tmp_path):
    first, again = network(), network(1)
    arguments = {"folder": tmp_path, "every": 3, "validation": split(20, 7), "patience": 1, "epochs": 40}
    expected = train(first, learning_rate=0.3, **arguments)
    assert len(expected) < 40
    told = []
    assert train(again, learning_rate=0.3, progress=told.append, **arguments) == expected
    assert told == []
    assert same(first, again)


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"learning_rate": 0.5}, "learning_rate was 0.001, is 0.5"),
        ({"seed": 4}, "seed was 0, is 4"),
        ({"count": 49}, "train was '.*', is '.*'"),
        ({"epochs": 9}, "epochs was 3, is 9"),
    ],
)
def test_the_checkpoint_of_another_run_is_refused(train, network, tmp_path, change, words):
    train(network(), folder=tmp_path)
    with pytest.raises(InputError, match=f"another run: {words}; give this run its own folder"):
        train(network(), folder=tmp_path, **change)


def test_the_checkpoint_of_another_model_is_refused_by_its_first_tensor(train, tmp_path):
    train(torch.nn.Sequential(torch.nn.Flatten(), torch.nn.Linear(36, 3)), folder=tmp_path)
    with pytest.raises(InputError, match=r"'1.weight' is \(3, 36\) .* in the file and \(3, 8\)"):
        train(
            torch.nn.Sequential(torch.nn.Flatten(), torch.nn.Linear(8, 3), torch.nn.Flatten()),
            folder=tmp_path,
        )


def test_weights_in_place_of_the_checkpoint_are_refused(train, network, tmp_path):
    save_weights(network(), tmp_path / CHECKPOINT, {"seed": 0})
    with pytest.raises(InputError, match="another run: epochs was None, is 3"):
        train(network(), folder=tmp_path)


def test_a_damaged_checkpoint_is_named_with_what_to_do(train, network, tmp_path):
    train(network(), folder=tmp_path)
    path = tmp_path / CHECKPOINT
    path.write_bytes(path.read_bytes()[:-5])
    with pytest.raises(Failure, match=r"checkpoint.safetensors is damaged.*delete it and make it again"):
        train(network(), folder=tmp_path)


def test_a_full_disk_keeps_the_checkpoint_before_and_the_run_goes_on_from_it(
    train, network, same, tmp_path, monkeypatch
):
    unbroken, fresh = network(), network()
    train(unbroken)
    real, calls = os.fsync, []

    def full(handle):
        calls.append(handle)
        if len(calls) > 3:
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
        real(handle)

    with monkeypatch.context() as patch:
        patch.setattr(os, "fsync", full)
        with pytest.raises(Failure, match=r"checkpoint.safetensors: No space left.*kept"):
            train(network(), folder=tmp_path)
    assert [path.name for path in tmp_path.iterdir()] == [CHECKPOINT]
    told = []
    train(fresh, folder=tmp_path, progress=lambda one: told.append(one.epoch))
    assert told[0] in (2, 3)
    assert same(unbroken, fresh)


SCRIPT = """
import sys
import time
from pathlib import Path
sys.path.insert(0, sys.argv[1])
from conftest import cross_entropy, make_split, noisy
from purifold.training.checkpoint import save_weights
from purifold.training.config import TrainingConfig
from purifold.training.fit import fit

folder, model = Path(sys.argv[2]), noisy()
config = TrainingConfig(epochs=60, batch_size=16, optimizer="sgd", learning_rate=0.01, patience=59)
fit(
    model, make_split(), cross_entropy, config,
    seed=0, validation=make_split(20, 7), folder=folder, accelerator="cpu",
    progress=lambda told: time.sleep(0.005),  # so that it is not over before it is killed
)
save_weights(model, folder, {})
"""


@pytest.mark.slow
def test_a_process_killed_at_random_moments_ends_with_the_weights_of_an_unbroken_one(
    train, network, split, same, *, tmp_path
):
    generator = torch.Generator().manual_seed(time.time_ns() % 2**31)
    checkpoint = tmp_path / CHECKPOINT

    def run(killed):
        before = written()
        with subprocess.Popen([sys.executable, "-c", SCRIPT, Path(__file__).parent, tmp_path]) as process:
            while killed and process.poll() is None and written() == before:
                time.sleep(0.001)
            if killed:
                time.sleep(0.1 * torch.rand((), generator=generator).item())
                process.kill()
            return process.wait()

    def written():
        return checkpoint.stat().st_mtime_ns if checkpoint.exists() else 0

    unbroken, resumed = network(), network()
    train(unbroken, validation=split(20, 7), epochs=60, patience=59, optimizer="sgd", learning_rate=0.01)
    assert [run(killed=True) for _ in range(2)] == [-signal.SIGKILL] * 2
    assert run(killed=False) == 0
    load_into(resumed, tmp_path)
    assert same(unbroken, resumed)
