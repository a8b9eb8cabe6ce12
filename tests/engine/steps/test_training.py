"""Every training: it tells how far it is, and keeps its checkpoints where the next start finds them."""

import re

import torch

from purifold.autoencoders.spec import AutoencoderSpec
from purifold.engine.step import Resources, Workbench
from purifold.engine.steps import training
from purifold.engine.steps.train_autoencoder import TrainAutoencoder
from purifold.training.config import TrainingConfig
from purifold.training.progress import History


def test_it_tells_how_far_it_is_from_nothing_to_all(data, tmp_path):
    spec = AutoencoderSpec(kind="plain", network="ae-robustness", latent=2)
    config = TrainingConfig(epochs=2, batch_size=55, optimizer="adam", learning_rate=1e-3)
    step = TrainAutoencoder(data=data, images=110, spec=spec, config=config, seed=0)
    told = []
    (tmp_path / "files").mkdir()
    bench = Workbench(
        folder=tmp_path / "files",
        scratch_at=tmp_path / "scratch",
        resources=Resources(),
        fetched={},
        report=lambda fraction, note: told.append((fraction, note.partition(",")[0])),
    )
    step.run(bench)
    assert told == [(0.25, "epoch 1/2"), (0.5, "epoch 1/2"), (0.75, "epoch 2/2"), (1.0, "epoch 2/2")]
    assert any(bench.scratch.iterdir())


def test_its_logs_lie_in_a_folder_of_a_readable_name_and_change_no_key(data, tmp_path, monkeypatch):
    given = []
    monkeypatch.setattr(training, "fit", lambda *_, logs, **__: given.append(logs) or History())
    spec = AutoencoderSpec(kind="plain", network="ae-robustness", latent=2)
    step = TrainAutoencoder(data=data, images=110, spec=spec, config=TrainingConfig(epochs=1), seed=0)
    for logs in (None, str(tmp_path / "logs")):
        bench = Workbench(
            folder=tmp_path,
            scratch_at=tmp_path / "scratch",
            resources=Resources(logs=logs),
            fetched={},
            report=lambda fraction, note: None,
        )
        step.run(bench)
    assert given[0] is None
    assert given[1].parent == tmp_path / "logs"
    assert re.fullmatch(rf"train-[\w.=-]+-on-digits-{step.key[:8]}", given[1].name)
    assert "logs" not in str(step.describe())


def test_what_is_loaded_is_frozen_evaluating_and_the_same_each_time(data, finished):
    spec = AutoencoderSpec(kind="plain", network="ae-robustness", latent=2)
    config = TrainingConfig(epochs=1, optimizer="adam", learning_rate=1e-3)
    step = TrainAutoencoder(data=data, images=110, spec=spec, config=config, seed=0)
    _, bench = finished(step)
    first, second = (step.load(bench) for _ in range(2))
    assert not first.training
    assert not any(weight.requires_grad for weight in first.parameters())
    assert all(map(torch.equal, first.state_dict().values(), second.state_dict().values()))
