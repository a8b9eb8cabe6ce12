"""Where numbers were made: hardware, versions, commit."""

import os
import platform
import subprocess
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

import torch

import purifold

PACKAGES = ("purifold", "torch", "numpy", "scipy")


def environment() -> dict[str, Any]:
    """Processor, cores, GPUs, versions, and the commit of the source where it is a git checkout."""
    return {
        "cpu": _cpu(),
        "cores": os.cpu_count(),
        "threads": torch.get_num_threads(),
        "gpus": [torch.cuda.get_device_name(place) for place in range(torch.cuda.device_count())],
        "system": platform.platform(),
        "python": platform.python_version(),
        **{package: _version(package) for package in PACKAGES},
        "commit": commit(Path(purifold.__file__).parent),
    }


def commit(folder: Path) -> str | None:
    """The commit that the files of `folder` are at, with "+" where they were changed since; None outside git.

    An installed package inside somebody else's checkout is not taken for a part of it.
    """
    if not _git(folder, "ls-files", "--", "."):
        return None
    head = _git(folder, "rev-parse", "HEAD")
    changed = _git(folder, "status", "--porcelain", "--", ".")
    return None if head is None else head + ("+" if changed else "")


def _git(folder: Path, *command: str) -> str | None:
    try:
        found = subprocess.run(
            ["git", "-C", str(folder), *command], capture_output=True, text=True, timeout=10, check=True
        )
    except (OSError, subprocess.SubprocessError):
        return None
    return found.stdout.strip()


def _cpu() -> str:
    try:
        lines = Path("/proc/cpuinfo").read_text().splitlines()
    except OSError:
        return platform.processor() or platform.machine()
    models = [line.partition(":")[2].strip() for line in lines if line.startswith("model name")]
    return models[0] if models else platform.machine()


def _version(package: str) -> str | None:
    try:
        return version(package)
    except PackageNotFoundError:
        return None
