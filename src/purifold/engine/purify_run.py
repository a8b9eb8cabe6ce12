"""A run of `purifold purify`: one image, or a folder, with progress."""

import json
from collections.abc import Sequence
from pathlib import Path
from time import perf_counter

from purifold.data.pictures import format_of
from purifold.engine.progress import Event, shown
from purifold.engine.purify import Deployed, Job, folder_jobs, is_done, purify_files
from purifold.engine.weights import load_purifier
from purifold.errors import Failure, InputError


def purify_paths(source: Path, target: Path, weights: Path, options: str, *, seed: int, device: str) -> str:
    """Purifies `source` into `target`; returns what was done in one line.

    Args:
        source: An image file, or a folder of images; it exists.
        target: An image file, or a folder.
        weights: As `load_purifier` takes it, like the options.
        options: Of the defense.
        seed: Of its sampling.
        device: As torch writes it.

    Raises:
        Failure: Images were left out; the others are purified.
    """
    purifier, (channels, *_), defense = load_purifier(weights, options)
    deployed = Deployed(purifier=purifier.to(device).eval(), channels=channels, seed=seed, device=device)
    if not source.is_dir():
        return _one(deployed, (source, _file(source, target)))
    made = {
        "defense": defense,
        "seed": seed,
        "source": str(source.resolve()),
        "weights": _digests(weights),
    }
    jobs = folder_jobs(source, target, json.dumps(made, sort_keys=True))
    todo = [job for job in jobs if not is_done(job)]
    return _summary(_told(deployed, todo), len(jobs) - len(todo))


def _one(deployed: Deployed, job: Job) -> str:
    ((_, refused),) = purify_files(deployed, [job])
    if refused:
        raise Failure(refused)
    return f"wrote {job[1]}."


def _told(deployed: Deployed, jobs: Sequence[Job]) -> list[tuple[Path, str]]:
    """Purifies and shows how far it is."""
    ended: list[tuple[Path, str]] = []
    started = perf_counter()
    with shown() as listener:
        for path, refused in purify_files(deployed, jobs):
            reason = refused.removeprefix(f"{path} ")  # named beside it
            ended.append((path, reason))
            each = (perf_counter() - started) / len(ended)
            event = Event(
                state="failed" if reason else "made",
                kind="purify",
                label=str(path),
                done=len(ended),
                total=len(jobs),
                fraction=1.0,
                note=reason,
                seconds=each,
                remaining=each * (len(jobs) - len(ended)),
            )
            listener(event)
    return ended


def _file(source: Path, target: Path) -> Path:
    if target.is_dir():
        raise InputError(f"{target} is a folder and {source} one image; say the file to write")
    if target.resolve() == source.resolve():
        raise InputError(f"{target} is the image itself; write to another file")
    format_of(target)
    return target


def _digests(weights: Path) -> list[str]:
    """Names of the weight files: keys of what was trained."""
    return sorted(path.stem for path in weights.glob("*.safetensors"))


def _summary(ended: Sequence[tuple[Path, str]], found: int) -> str:
    refused = [(path, reason) for path, reason in ended if reason]
    told = f"{len(ended) - len(refused)} images purified, {found} were there before"
    if refused:
        path, reason = refused[0]
        raise Failure(f"{told}, {len(refused)} left out; the first, {path}: {reason}")
    return f"{told}."
