"""Purifies image files, several at a time: each is read, purified and written in a thread of its own."""

import hashlib
import json
import os
from collections import deque
from collections.abc import Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TypeAlias, final

import torch
from jaxtyping import UInt8
from torch import Tensor

from purifold.batches import in_batches
from purifold.data.pictures import read_picture, readable, write_picture
from purifold.defenses.base import Purifier
from purifold.errors import Failure, InputError
from purifold.randomness import drawn_apart
from purifold.storage import write_bytes

RECEIPT = "purify.json"
"""In a folder of purified images: of which they were made, and how; no others come among them."""
LANES = 4
"""Images at a time, at most: with more, threads wait for one another in Python."""
Pixels: TypeAlias = UInt8[Tensor, "channel height width"]
Job: TypeAlias = tuple[Path, Path]
"""An image file, and where its purified image goes."""


@final
@dataclass(frozen=True, kw_only=True, eq=False)
class Deployed:
    """A purifier at work.

    Args:
        purifier: In evaluation mode, on `device`.
        channels: Of the images that it takes.
        seed: Of its sampling. An image's noise follows from its pixels, whatever it is called and whatever
            else is purified.
        device: As torch writes it.
    """

    purifier: Purifier
    channels: int
    seed: int
    device: str

    @torch.no_grad()
    def purify(self, pixels: Pixels) -> Pixels:
        """One image, grey or RGB; a grey one comes back grey from a purifier of colours."""
        own = len(pixels)
        if own > self.channels:
            raise InputError("the purifier takes grey images and this one is in colour; convert it to grey")
        planes = pixels.contiguous()  # files have a pixel's channels side by side
        digest = hashlib.sha256(f"{self.seed} {tuple(planes.shape)}".encode())
        digest.update(planes.numpy().data)
        shown = planes.to(self.device)[None].float().div_(255)
        images = shown.expand(-1, self.channels, -1, -1).contiguous()
        with drawn_apart(int.from_bytes(digest.digest()[:8], "big") >> 1, self.device):
            purified = in_batches(self.purifier, images, 1, grow=False)[0]
        if own < self.channels:
            purified = purified.mean(dim=0, keepdim=True)
        return purified.mul(255).round_().byte().cpu()


def folder_jobs(source: Path, target: Path, receipt: str) -> list[Job]:
    """The images below a folder; each goes to the same place below `target`, as a PNG file.

    Args:
        source: Of files that Pillow reads, going by their endings; others are passed over.
        target: Made if need be. A folder that holds other images is refused.
        receipt: Which images are purified, and how.
    """
    if target.exists() and not target.is_dir():
        raise InputError(f"{target} is a file and {source} a folder; say a folder to write to")
    if source.resolve() in (target.resolve(), *target.resolve().parents):
        raise InputError(
            f"{target} is the folder of the images or lies in it, and they would be purified again; "
            "choose a folder elsewhere"
        )
    jobs: dict[Path, Path] = {}
    clashes: list[str] = []
    for path in sorted(path for path in source.rglob("*") if path.is_file() and readable(path)):
        goal = target / path.relative_to(source).with_suffix(".png")
        if goal in jobs:
            clashes.append(f"{path} and {jobs[goal]} would both become {goal}")
        jobs[goal] = path
    if clashes:
        raise InputError(f"{', '.join(clashes)}; rename one of each two")
    if not jobs:
        raise InputError(f"{source} holds no image that Pillow reads")
    _sign(target, receipt)
    return [(path, goal) for goal, path in jobs.items()]


def is_done(job: Job) -> bool:
    """Whether the purified image is there, and newer than the image."""
    path, target = job
    return target.exists() and target.stat().st_mtime_ns >= path.stat().st_mtime_ns


def purify_files(deployed: Deployed, jobs: Sequence[Job]) -> Iterator[tuple[Path, str]]:
    """Purifies files in their order; each one that is over, and why it was left out ("": it was not).

    What cannot be read, purified or written does not end the others; a full disk does.
    """
    threads = torch.get_num_threads()
    lanes = max(1, min(LANES, threads, len(jobs)))
    pool = ThreadPoolExecutor(lanes, initializer=torch.set_num_threads, initargs=(threads // lanes,))
    working: deque[tuple[Path, Future[str]]] = deque()
    try:
        for job in jobs:
            working.append((job[0], pool.submit(_purified, deployed, job)))
            if len(working) > lanes:
                path, ending = working.popleft()
                yield path, ending.result()
        yield from ((path, ending.result()) for path, ending in working)
    finally:
        pool.shutdown(cancel_futures=True)
        torch.set_num_threads(threads)


def _purified(deployed: Deployed, job: Job) -> str:
    """Why an image was left out; empty when it is written."""
    source, target = job
    try:
        picture = read_picture(source)
        purified = replace(picture, pixels=deployed.purify(picture.pixels))
    except (InputError, Failure) as error:
        return str(error)
    try:
        write_picture(purified, target)
    except InputError as error:
        return str(error)
    return ""


def _sign(target: Path, receipt: str) -> None:
    """Leaves the receipt in a new folder; refuses one of images that were made otherwise."""
    path = target / RECEIPT
    if path.exists():
        if _receipt(path) != receipt:
            raise InputError(
                f"{target} holds images of another folder, or purified otherwise; choose another folder"
            )
    elif target.exists() and os.listdir(target):
        raise InputError(f"{target} is not empty and was not made by purify; choose another folder")
    write_bytes(path, json.dumps({"made": receipt}).encode())


def _receipt(path: Path) -> object:
    try:
        return json.loads(path.read_text())["made"]
    except (ValueError, KeyError, TypeError) as error:
        raise Failure(f"{path} is damaged; choose another folder") from error
