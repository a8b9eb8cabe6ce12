"""What the engine costs: beside the same work as bare function calls, for the shell, and on Ray.

Bare calls write the same files. Limits: 3 % at steps of 1 s, 5 ms a step, `purifold --help` in 0.5 s, and
0.2 s for `import purifold` over `import torch`. Run by `make bench`; `--ray auto` adds a run on Ray.
"""

import resource
import subprocess
import sys
import tempfile
import time
import uuid
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, ClassVar, final

from benchmarks.command import start
from benchmarks.timing import seconds

from purifold.engine.local import run
from purifold.engine.step import Resources, Step, Workbench
from purifold.engine.store import Store

LONG, SHORT = 20, 400
"""Steps of 1 s, and steps of nothing."""
STARTS = 9
CALLS = ("cat_file", "find", "exists", "put_file", "pipe_file", "get_file", "rm")
"""Methods of fsspec that the remote store uses while it makes steps, each a request or more."""


@final
@dataclass(frozen=True, kw_only=True)
class Sleep(Step):
    """Sleeps and writes one file; half of such steps need another."""

    kind: ClassVar[str] = "sleep"

    number: int
    seconds: float
    parts: tuple[Step, ...] = ()

    def run(self, bench: Workbench) -> None:
        """See `Step.run`."""
        work(self.seconds, bench.folder)


def work(duration: float, folder: Path) -> None:
    """What a step does."""
    time.sleep(duration)
    (folder / "file").write_bytes(b"x" * 1000)


def study(count: int, duration: float) -> list[Step]:
    """`count` steps; those of the second half need one of the first, and are wanted."""
    half = count // 2
    first = [Sleep(number=place, seconds=duration) for place in range(half)]
    return [Sleep(number=half + place, seconds=duration, parts=(first[place],)) for place in range(half)]


def bare(count: int, duration: float, folder: Path) -> None:
    """The same work without the engine."""
    for place in range(count):
        (folder / str(place)).mkdir()
        work(duration, folder / str(place))


def beside_bare(
    count: int, duration: float, address: Callable[[Path], str], clock: Callable[[], float]
) -> tuple[float, float]:
    """Seconds of the steps on the engine and as bare calls, by a clock."""
    with tempfile.TemporaryDirectory() as name:
        folder, place = Path(name), address(Path(name))
        store = Store(place, cache=folder / "cache" if "://" in place else None)
        run(study(2, 0.0), store)  # imports are done from here on
        (folder / "bare").mkdir()
        started = clock()
        run(study(count, duration), store)
        between = clock()
        bare(count, duration, folder / "bare")
        return between - started, clock() - between


def looking(count: int) -> float:
    """Processor seconds to find that a study is there: half of it by SHA-256, the rest not looked at."""
    with tempfile.TemporaryDirectory() as name:
        run(study(count, 0.0), Store(name))
        store, started = Store(name), time.process_time()
        run(study(count, 0.0), store)
        return time.process_time() - started


def requests(count: int) -> dict[str, float]:
    """Calls a step of a remote store's file system, by name; half of the steps read one artefact."""
    from fsspec.implementations.memory import MemoryFileSystem

    made: Counter[str] = Counter()
    genuine = {name: getattr(MemoryFileSystem, name) for name in CALLS}

    def counted(name: str) -> Callable[..., Any]:
        def call(*arguments: Any, **options: Any) -> Any:
            made[name] += 1
            return genuine[name](*arguments, **options)

        return call

    for name in CALLS:
        setattr(MemoryFileSystem, name, counted(name))
    with tempfile.TemporaryDirectory() as cache:
        run(study(count, 0.0), Store(f"memory://{uuid.uuid4().hex}", cache=cache))
    for name in CALLS:
        setattr(MemoryFileSystem, name, genuine[name])
    return {name: calls / count for name, calls in made.items()}


def on_ray(count: int, address: str) -> dict[str, float]:
    """Milliseconds a step of nothing on a Ray cluster: wall clock, and processor time of the driver."""
    import ray

    from purifold.engine.ray import run as run_on_ray

    ray.init(address=None if address == "auto" else address, log_to_driver=False, logging_level="WARNING")
    with tempfile.TemporaryDirectory() as name:
        store = Store(Path(name) / "store")
        run_on_ray(study(20, 0.0), store, Resources())  # workers are there from here on
        cores, start = ray.cluster_resources()["CPU"], time.process_time()
        wall = seconds(lambda: run_on_ray(study(count, 0.001), store, Resources()))
        driver = time.process_time() - start
    ray.shutdown()
    return {"cores": cores, "wall_ms": 1000 * wall / count, "driver_ms": 1000 * driver / count}


def starts(turns: int, *commands: tuple[str, ...]) -> list[float]:
    """Processor seconds of each command as a process of its own, in turn: the least of several."""
    taken = [[spent(command) for command in commands] for _ in range(turns)]
    return [min(times) for times in zip(*taken, strict=True)]


def spent(command: tuple[str, ...]) -> float:
    """Processor seconds of a command: on a machine at rest it takes as long."""
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    subprocess.run(command, check=True, capture_output=True)
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    return after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime


def measured(ray: str | None, long: int, short: int, turns: int) -> dict[str, Any]:
    """All figures, of so many steps of 1 s and of nothing, and so many starts of a process."""
    python = sys.executable
    second, bare_second = beside_bare(long, 1.0, lambda folder: str(folder / "store"), time.perf_counter)
    local, bare_local = beside_bare(short, 0.0, lambda folder: str(folder / "store"), time.process_time)
    remote, bare_remote = beside_bare(
        short, 0.0, lambda folder: f"memory://{uuid.uuid4().hex}", time.process_time
    )
    shell, torch, both = starts(
        turns,
        (str(Path(python).with_name("purifold")), "--help"),
        (python, "-c", "import torch"),
        (python, "-c", "import torch, purifold"),
    )
    return {
        "share_at_1_s": second / bare_second - 1,
        "local_ms": 1000 * (local - bare_local) / short,
        "remote_ms": 1000 * (remote - bare_remote) / short,
        "found_ms": 1000 * looking(short) / (short // 2),
        "requests": requests(short),
        "help_seconds": shell,
        "import_seconds": both - torch,
        "torch_seconds": torch,
        "ray": None if ray is None else on_ray(short, ray),
    }


def main() -> None:
    """Measures, prints a table and writes JSON."""
    bench = start(
        __doc__,
        "results/engine/engine.json",
        lambda parser: parser.add_argument("--ray", help="auto or the address of a cluster"),
    )
    found = measured(bench.options.ray, *bench.size((LONG, SHORT, STARTS), (2, 4, 1)))
    print("| figure | measured | limit |\n|---|---|---|")
    print(f"| engine over bare calls, steps of 1 s | {100 * found['share_at_1_s']:.2f} % | 3 % |")
    print(
        f"| engine over bare calls, processor time a step, local folder | {found['local_ms']:.2f} ms | 5 ms |"
    )
    print(f"| the same, fsspec (memory) | {found['remote_ms']:.2f} ms | |")
    print(f"| a step that is there, local folder, processor time | {found['found_ms']:.2f} ms | |")
    calls = ", ".join(f"{name} {count:.1f}" for name, count in found["requests"].items())
    print(f"| requests a step of a remote store | {calls} | |")
    print(f"| `purifold --help`, processor time | {found['help_seconds']:.2f} s | 0.5 s |")
    print(f"| `import purifold` over `import torch`, the same | {found['import_seconds']:.3f} s | 0.2 s |")
    if found["ray"]:
        ray = found["ray"]
        print(f"| Ray, a step, {ray['cores']:.0f} cores | {ray['wall_ms']:.2f} ms | |")
        print(f"| Ray, a step, processor time of the driver | {ray['driver_ms']:.2f} ms | |")
    bench.write(found)


if __name__ == "__main__":
    main()
