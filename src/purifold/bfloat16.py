"""bfloat16: whether a machine computes in it, or only imitates it, ten times slower than float32."""

import platform
from functools import cache

import torch


@cache
def has_bfloat16(device: str) -> bool:
    """Whether this machine has arithmetic for it on devices of a type: "cpu", "cuda", "mps"."""
    if device == "cuda":
        return torch.cuda.is_bf16_supported(including_emulation=False)
    if device != "cpu":
        return True
    if platform.machine().lower() in ("x86_64", "amd64"):
        return torch.cpu._is_avx512_bf16_supported() or torch.cpu._is_amx_tile_supported()
    return bool(torch.ops.mkldnn._is_mkldnn_bf16_supported())
