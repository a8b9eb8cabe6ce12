"""Making one artefact: a full disk is told from other failures, however deep it lies; how a GPU rounds."""

import errno

import pytest
import torch

from purifold.engine.make import DiskFull, make
from purifold.engine.step import Resources
from purifold.errors import Failure
from purifold.tf32 import tf32


def raised(*chain):
    """The last error, each raised while the one before was handled."""
    error = None
    for one in chain:
        one.__context__ = error
        error = one
    return error


@pytest.mark.parametrize(
    ("chain", "full"),
    [
        ((OSError(errno.ENOSPC, "no space"),), True),
        ((OSError(errno.EDQUOT, "quota"), ValueError("wrapped"), Failure("again")), True),
        ((RuntimeError("I/O error: No space left on device (os error 28)"),), True),
        ((OSError(errno.EACCES, "denied"),), False),
        ((ValueError("loss is nan"), Failure("diverged")), False),
    ],
)
def test_a_full_disk_is_told_from_other_failures_and_is_logged(
    program, store, resources, monkeypatch, chain, full
):
    def failing(step, bench):
        raise raised(*chain)

    monkeypatch.setattr(program.Mix, "run", failing)
    step, told = program.Mix(name="one"), []
    with pytest.raises(DiskFull if full else type(chain[-1])) as caught:
        make(step, store, resources, lambda fraction, note: told.append(fraction))
    assert isinstance(caught.value, DiskFull) == full
    assert not full or "free some and run the same command again" in str(caught.value)
    assert [event["event"] for event in store.events()] == ["started", "failed"]
    assert told == [0.0]
    assert not store.has(step)


def test_what_is_there_is_not_made_again(program, store, resources, made, monkeypatch):
    monkeypatch.setattr(program.Mix, "run", None)
    assert make(made, store, resources, lambda fraction, note: None) is None


def test_the_manifest_says_how_long_and_on_what(program, store, resources):
    step = program.Mix(name="slow", seconds=0.08)
    manifest = make(step, store, resources, lambda fraction, note: None)
    assert 0.08 <= manifest.seconds < 5
    assert manifest.hardware["device"] == "cpu"
    assert manifest.starts == 1


@pytest.mark.parametrize(("device", "during"), [("cpu", ("high", True)), ("meta", ("highest", False))])
def test_off_the_cpu_a_step_computes_in_full_precision(program, store, monkeypatch, device, during):
    met = []

    def noted(step, bench):
        met.append((torch.get_float32_matmul_precision(), torch.backends.cudnn.allow_tf32))
        (bench.folder / "a").write_bytes(b"a")

    monkeypatch.setattr(program.Mix, "run", noted)
    with tf32(allowed=True):
        make(program.Mix(name="one"), store, Resources(device=device), lambda fraction, note: None)
        assert torch.backends.cudnn.allow_tf32
    assert met == [during]
