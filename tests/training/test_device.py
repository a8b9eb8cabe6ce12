"""Where a training runs, and that nothing is left behind there."""

import logging
from contextlib import suppress

import pytest
import torch

from purifold.errors import InputError
from purifold.losses import cross_entropy
from purifold.tf32 import tf32
from purifold.training.config import TrainingConfig
from purifold.training.device import open_fabric, put_back
from purifold.training.fit import fit


def test_an_interrupt_in_mid_update_leaves_no_gradients_and_the_callers_randomness(
    train, network, monkeypatch
):
    def interrupt(*_, **__):
        raise KeyboardInterrupt

    model = network()
    before = torch.get_rng_state()
    monkeypatch.setattr(torch.optim.Adam, "step", interrupt)
    with pytest.raises(KeyboardInterrupt):
        train(model)
    assert all(parameter.grad is None for parameter in model.parameters())
    assert not any(part.training for part in model.modules())
    assert torch.equal(torch.get_rng_state(), before)


@pytest.mark.skipif(torch.cuda.is_available(), reason="asks for a GPU that is absent")
def test_an_absent_accelerator_is_refused(split, loss, linear):
    with pytest.raises(InputError, match=r"accelerator .*cuda"):
        fit(linear(), split(5), loss, TrainingConfig(epochs=1), seed=0, accelerator="cuda")


def test_more_devices_than_there_are_are_refused(monkeypatch):
    monkeypatch.setattr(torch.cuda, "is_available", lambda: True)
    monkeypatch.setattr(torch.cuda, "device_count", lambda: 2)
    with pytest.raises(InputError, match="devices must be at most 2, which cuda has here, got 3"):
        open_fabric("cuda", 3, "32-true")


def test_auto_takes_the_best_that_is_present(monkeypatch):
    import lightning_fabric

    chosen = []
    monkeypatch.setattr(lightning_fabric, "Fabric", lambda **given: chosen.append(given))
    for gpus, mps in ((2, True), (0, True), (0, False)):
        monkeypatch.setattr(torch.cuda, "is_available", lambda gpus=gpus: gpus > 0)
        monkeypatch.setattr(torch.cuda, "device_count", lambda gpus=gpus: gpus)
        monkeypatch.setattr(torch.backends.mps, "is_available", lambda mps=mps: mps)
        open_fabric("auto", 1, "32-true")
    assert [given["accelerator"] for given in chosen] == ["cuda", "mps", "cpu"]
    open_fabric("cpu", 2, "32-true")
    assert [given["strategy"] for given in chosen] == ["auto", "auto", "auto", "ddp_spawn"]


def test_what_fabric_logs_is_as_loud_as_before_also_after_an_error(linear):
    logger = logging.getLogger("lightning_fabric")
    model = linear().train()
    model[1].weight.grad = torch.ones_like(model[1].weight)
    before = logger.level
    logger.setLevel(logging.INFO)
    try:
        with suppress(KeyboardInterrupt), put_back(model):
            during = logger.level
            raise KeyboardInterrupt
        assert (during, logger.level) == (logging.WARNING, logging.INFO)
    finally:
        logger.setLevel(before)
    assert not model.training
    assert model[1].weight.grad is None


@pytest.mark.parametrize(
    ("accelerator", "during"),
    [
        ("cpu", ("highest", False)),
        pytest.param(
            "cuda",
            ("high", True),
            marks=pytest.mark.skipif(not torch.cuda.is_available(), reason="needs a GPU"),
        ),
    ],
)
def test_a_gpu_trains_in_tf32_and_only_there(split, linear, accelerator, during):
    met = set()

    def noted(model, images, labels):
        met.add((torch.get_float32_matmul_precision(), torch.backends.cudnn.allow_tf32))
        return cross_entropy(model(images), labels)

    with tf32(allowed=False):
        fit(linear(), split(5), noted, TrainingConfig(epochs=1), seed=0, accelerator=accelerator)
        assert not torch.backends.cudnn.allow_tf32
    assert met == {during}
