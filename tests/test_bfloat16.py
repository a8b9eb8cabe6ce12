"""Whether a machine has bfloat16: by what its processor says, and against the clock."""

from time import perf_counter

import pytest
import torch

from purifold.bfloat16 import has_bfloat16


def best_seconds(kind):
    images, weights = torch.rand(16, 32, 32, 32, dtype=kind), torch.rand(32, 32, 3, 3, dtype=kind)
    images = images.requires_grad_()
    taken = []
    for _ in range(5):
        start = perf_counter()
        torch.nn.functional.conv2d(images, weights, padding=1).sum().backward()
        taken.append(perf_counter() - start)
    return min(taken)


def test_where_convolutions_are_far_slower_than_in_float32_it_is_not_there():
    ratio = best_seconds(torch.bfloat16) / best_seconds(torch.float32)
    assert ratio < 3 or not has_bfloat16("cpu"), ratio


def test_a_gpu_is_asked_without_what_it_imitates(monkeypatch):
    asked = []
    monkeypatch.setattr("torch.cuda.is_bf16_supported", lambda **how: asked.append(how) or False)
    has_bfloat16.cache_clear()
    assert not has_bfloat16("cuda")
    has_bfloat16.cache_clear()
    assert asked == [{"including_emulation": False}]


@pytest.mark.parametrize("features", [(False, False), (True, False), (False, True)])
def test_a_processor_has_it_by_either_instruction_set(monkeypatch, features):
    monkeypatch.setattr("platform.machine", lambda: "x86_64")
    for name, there in zip(("avx512_bf16", "amx_tile"), features, strict=True):
        monkeypatch.setattr(f"torch.cpu._is_{name}_supported", lambda there=there: there)
    has_bfloat16.cache_clear()
    assert has_bfloat16("cpu") == any(features)
    has_bfloat16.cache_clear()
