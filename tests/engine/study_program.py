"""A study of small steps, as a module for the tests and as a program that can be killed.

Its journal, one line a step that came to its end, is no part of the store: it lies in `resources.data_root`.
"""

import hashlib
import json
import os
import signal
import sys
import time
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import final

from purifold.engine.local import run
from purifold.engine.step import Resources, Step, Workbench
from purifold.engine.store import Store

ROUNDS = 4
CHANGES = {"open", "os.mkdir", "os.rename", "os.remove", "os.rmdir", "shutil.rmtree"}


@final
@dataclass(frozen=True, kw_only=True)
class Mix(Step):
    """Hashes its name and its inputs, in rounds that are checkpointed."""

    kind = "mix"
    name: str
    parts: tuple[Step, ...] = ()
    seconds: float = 0.0

    @property
    def label(self) -> str:
        return self.name

    def run(self, bench: Workbench) -> None:
        read = [(bench.artefact(part) / "deep" / "digest.bin").read_bytes() for part in self.parts]
        digest = hashlib.sha256(b"".join([self.name.encode(), *read])).digest()
        checkpoint = bench.scratch / "rounds.json"
        first = 0
        if checkpoint.exists():
            first, text = json.loads(checkpoint.read_text())
            digest = bytes.fromhex(text)
        for done in range(first, ROUNDS):
            digest = hashlib.sha256(digest).digest()
            time.sleep(self.seconds / ROUNDS)
            (bench.scratch / "new").write_text(json.dumps([done + 1, digest.hex()]))
            (bench.scratch / "new").rename(checkpoint)
            bench.progress((done + 1) / ROUNDS, f"round {done + 1}")
        (bench.folder / "deep").mkdir()
        (bench.folder / "deep" / "digest.bin").write_bytes(digest)
        (bench.folder / "long.bin").write_bytes(digest * 2000)
        journal(bench.resources, f"{self.key} {os.getpid()} {first}")


def expected(step: Mix) -> bytes:
    """What `digest.bin` must hold, computed without the engine."""
    digest = hashlib.sha256(b"".join([step.name.encode(), *(expected(part) for part in step.parts)])).digest()
    for _ in range(ROUNDS):
        digest = hashlib.sha256(digest).digest()
    return digest


def right(store: Store, steps: list[Mix]) -> bool:
    """Whether the artefacts of `steps` and of all they need hold what `expected` says."""
    return all(
        (store.fetch(step) / "deep" / "digest.bin").read_bytes() == expected(step)
        and (store.fetch(step) / "long.bin").read_bytes() == expected(step) * 2000
        for step in every(steps).values()
    )


def ends(resources: Resources) -> Counter[str]:
    """How often each key came to its end."""
    path = Path(resources.data_root) / "journal"
    return Counter(line.split()[0] for line in path.read_text().splitlines()) if path.exists() else Counter()


def once(steps: list[Mix]) -> dict[str, int]:
    """What `ends` must say after one run of these steps."""
    return dict.fromkeys(every(steps), 1)


def journal(resources: Resources, line: str) -> None:
    handle = os.open(Path(resources.data_root) / "journal", os.O_WRONLY | os.O_APPEND | os.O_CREAT)
    os.write(handle, f"{line}\n".encode())
    os.close(handle)


def study(seconds: float = 0.0) -> list[Mix]:
    """15 steps in four layers; the three of the last are wanted."""
    first = [Mix(name=f"first-{i}", seconds=seconds) for i in range(3)]
    second = [
        Mix(name=f"second-{i}", parts=(first[i % 3], first[(i + 1) % 3]), seconds=seconds) for i in range(5)
    ]
    third = [Mix(name=f"third-{i}", parts=(second[i], second[i + 1]), seconds=seconds) for i in range(4)]
    return [
        Mix(name=f"last-{i}", parts=(third[i], third[i + 1], first[0]), seconds=seconds) for i in range(3)
    ]


def every(steps: list[Mix]) -> dict[str, Mix]:
    """Steps and all they need, by key."""
    found = {}
    for step in steps:
        found |= {step.key: step} | every(list(step.parts))
    return found


def child(work: Callable[[], object]) -> int:
    """Runs `work` in a fork; its exit status, or minus the signal that ended it."""
    process = os.fork()
    if process == 0:
        work()
        os._exit(0)
    return os.waitstatus_to_exitcode(os.waitpid(process, 0)[1])


def kill_at(count: int) -> None:
    """Ends this process by SIGKILL just before its `count`-th access to a file."""
    left = count

    def hook(event: str, arguments: tuple[object, ...]) -> None:
        nonlocal left
        if event in CHANGES:
            left -= 1
            if left == 0:
                os.kill(os.getpid(), signal.SIGKILL)

    sys.addaudithook(hook)


def crash_everywhere(root: Path) -> None:
    """Kills a study of two steps before each of its file accesses; prints what each kill and restart left."""
    steps = (Mix(name="first"), Mix(name="last", parts=(Mix(name="first"),)))
    run(steps, Store(root / "warm"), Resources(data_root=str(root)))  # imports are done from here on
    count, ended = 0, -signal.SIGKILL
    while ended == -signal.SIGKILL:
        count += 1
        seen = crash(root / str(count), steps, count)
        ended = seen["ended"]
        print(json.dumps(seen))


def crash(folder: Path, steps: tuple[Mix, ...], count: int) -> dict[str, object]:
    """What a kill before the `count`-th file access left, and what the run after it made of that."""
    store, resources = Store(folder), Resources(data_root=str(folder.parent))

    def work() -> None:
        run(steps[-1:], store, resources)

    ended = child(lambda: (kill_at(count), work()))
    visible = [step for step in steps if (folder / step.place).exists()]
    sound = [step for step in steps if store.has(step)]
    before = [store.manifest(step).run for step in sound]
    restarted = child(work)
    contents = [(store.fetch(step) / "deep" / "digest.bin").read_bytes() for step in steps]
    names = [event["event"] for event in store.events()]
    return {
        "ended": ended,
        "torn": len(visible) - len(sound),
        "restarted": restarted,
        "kept": before == [store.manifest(step).run for step in sound],
        "right": contents == [expected(step) for step in steps],
        "started": names.count("started"),
        "finished": names.count("finished"),
        "scratch": len(list((folder / ".work").rglob("*.scratch"))),
    }


@final
@dataclass(frozen=True, kw_only=True)
class Nothing(Step):
    """Writes one byte."""

    kind = "nothing"
    number: int
    parts: tuple[Step, ...] = ()

    def run(self, bench: Workbench) -> None:
        (bench.folder / "a").write_bytes(b"a")


def overhead(root: Path, count: int) -> float:
    """Processor seconds that the engine takes for a step, half of them with an input."""
    steps = [Nothing(number=place, parts=(Nothing(number=-1 - place),)) for place in range(count // 2)]
    start = time.process_time()
    run(steps, Store(root), Resources())
    return (time.process_time() - start) / count


if __name__ == "__main__":
    if sys.argv[1] == "crash":
        crash_everywhere(Path(sys.argv[2]))
    elif sys.argv[1] == "overhead":
        print(min(overhead(Path(sys.argv[2]) / str(turn), 60) for turn in range(4)))
    else:
        import filelock  # noqa: F401  (the engine imports it when it is first needed)

        print("ready", flush=True)
        if len(sys.argv) > 4:
            time.sleep(max(float(sys.argv[4]) - time.time(), 0))
        report = run(
            study(float(sys.argv[3])), Store(sys.argv[2]), Resources(data_root=os.path.dirname(sys.argv[2]))
        )
        print(len(report.made))
