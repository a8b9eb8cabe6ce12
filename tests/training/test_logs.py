"""Curves for TensorBoard: every update and epoch once, whatever stopped the training; nothing else."""

from typing import ClassVar

import pytest
from lightning_fabric.loggers import tensorboard
from lightning_fabric.loggers.logger import Logger

from purifold.errors import Failure, InputError
from purifold.training.config import TrainingConfig
from purifold.training.fit import fit
from purifold.training.logs import logger


class Notes(Logger):
    """Stands in for Fabric's TensorBoard logger: keeps what it is given."""

    made: ClassVar[list] = []

    def __init__(self, root_dir, name, version):
        self.folder, self.values, self.ends = root_dir, [], 0
        self.made.append(self)

    name, version, experiment = "", "", None

    def log_metrics(self, metrics, step=None):
        self.values += [(name, step, value) for name, value in metrics.items()]

    def log_hyperparams(self, params):
        raise NotImplementedError

    def finalize(self, status):
        self.ends += 1

    def of(self, name):
        return [(step, value) for found, step, value in self.values if found == name]


@pytest.fixture
def notes(monkeypatch):
    """The loggers made in a test."""
    monkeypatch.setattr(tensorboard, "TensorBoardLogger", Notes)
    monkeypatch.setattr(Notes, "made", [])
    return Notes.made


@pytest.fixture
def logged(split, loss, tmp_path):
    """fit with logs: 50 images in batches of 16."""

    def run(model, *, epochs=3, **options):
        config = TrainingConfig(epochs=epochs, batch_size=16)
        held_out = split(9, seed=1)
        return fit(
            model,
            split(50),
            options.pop("of", loss),
            config,
            seed=0,
            validation=held_out,
            accelerator="cpu",
            logs=tmp_path / "logs",
            **options,
        )

    return run


def test_every_update_and_epoch_is_logged_as_the_history_has_it(logged, linear, notes, tmp_path):
    history = logged(linear())
    (note,) = notes
    assert note.folder == tmp_path / "logs"
    assert note.ends == 1
    updates = note.of("update/loss")
    assert [step for step, _ in updates] == list(range(1, 13))
    sizes = [16, 16, 16, 2]
    for epoch, mean in enumerate(history.train_loss):
        losses = [loss for _, loss in updates[4 * epoch : 4 * epoch + 4]]
        assert sum(size * loss for size, loss in zip(sizes, losses, strict=True)) / 50 == pytest.approx(mean)
    for name, values in vars(history).items():
        assert note.of(f"epoch/{name}") == list(enumerate(values, start=1))


def test_a_training_that_goes_on_is_logged_from_there(logged, linear, notes, tmp_path):
    logged(linear(), folder=tmp_path)
    (tmp_path / "more").mkdir()
    two = linear()

    def killed(progress):
        if progress.epoch == 3:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        logged(two, folder=tmp_path / "more", progress=killed)
    logged(linear(), folder=tmp_path / "more")
    whole, first, second = notes
    assert (first.ends, second.ends) == (1, 1)
    assert first.of("epoch/train_loss") + second.of("epoch/train_loss") == whole.of("epoch/train_loss")
    assert second.of("update/loss") == whole.of("update/loss")[8:]


def test_a_training_that_fails_leaves_its_curves(logged, linear, notes, loss):
    def diverging(model, images, labels):
        return loss(model, images, labels) * float("nan")

    with pytest.raises(Failure, match="training loss is nan"):
        logged(linear(), of=diverging)
    assert notes[0].ends == 1


def test_logs_change_nothing_of_what_is_trained(logged, network, notes, same, train, split):
    with_logs, without = network(), network()
    logged(with_logs)
    train(without, validation=split(9, seed=1))
    assert same(with_logs, without)


def test_without_logs_no_logger_is_made(train, linear, notes):
    train(linear())
    assert notes == []


def test_a_missing_package_is_one_line_that_says_what_to_install(monkeypatch, tmp_path):
    for name in ("_TENSORBOARD_AVAILABLE", "_TENSORBOARDX_AVAILABLE"):
        monkeypatch.setattr(tensorboard, name, False)
    with pytest.raises(InputError, match="pip install tensorboard") as refused:
        logger(tmp_path)
    assert len(str(refused.value).splitlines()) == 1


@pytest.mark.slow
def test_tensorboard_reads_what_was_logged(logged, linear, tmp_path):
    pytest.importorskip("tensorboard", reason="the extra `tensorboard` is not installed")
    from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

    history = logged(linear())
    read = EventAccumulator(str(tmp_path / "logs")).Reload()
    assert read.Tags()["scalars"] == [
        "update/loss",
        "epoch/train_loss",
        "epoch/validation_loss",
        "epoch/learning_rate",
        "epoch/seconds",
    ]
    losses = read.Scalars("epoch/train_loss")
    assert [event.step for event in losses] == [1, 2, 3]
    assert [event.value for event in losses] == pytest.approx(history.train_loss)
    assert len(read.Scalars("update/loss")) == 12
