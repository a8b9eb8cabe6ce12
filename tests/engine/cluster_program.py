"""A cluster of several nodes on this machine, studies in it, and what may befall both; run by test_ray.py.

It must run in a network namespace of its own with the loopback up, where Ray settles on 127.0.0.1.
"""

import json
import os
import signal
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import final

from ray.cluster_utils import Cluster
from study_program import Mix, every

from purifold.discovery import adopt
from purifold.engine.compose import Question, compose
from purifold.engine.local import run as run_here
from purifold.engine.manifest import StoredFile
from purifold.engine.plan import needed
from purifold.engine.ray import run
from purifold.engine.scale import Scale
from purifold.engine.step import Resources, Step, Workbench
from purifold.engine.store import Store
from purifold.engine.study import StudyFailure

LAYERS, WIDTH = 6, 9
SECONDS = 0.3
QUICK = {
    "health_check_initial_delay_ms": 0,
    "health_check_period_ms": 300,
    "health_check_failure_threshold": 3,
}
PATIENCE = 60.0
OWN = """
from torch import nn
from purifold.networks.base import Classifier

class Own(Classifier):
    name = "own"

    @staticmethod
    def design(shape, classes):
        return nn.Sequential(nn.Flatten(), nn.Linear(shape[0] * shape[1] * shape[2], classes))
"""


def study(seconds: float) -> list[Mix]:
    """54 steps in six layers; the nine of the last."""
    layer = [Mix(name=f"0-{place}", seconds=seconds) for place in range(WIDTH)]
    for number in range(1, LAYERS):
        layer = [
            Mix(name=f"{number}-{place}", parts=(layer[place], layer[place - 1]), seconds=seconds)
            for place in range(WIDTH)
        ]
    return layer


class Picky(Exception):
    """An error that cannot be sent to another process."""

    def __init__(self, first: str, second: str) -> None:
        super().__init__(first + second)


@final
@dataclass(frozen=True, kw_only=True)
class Broken(Step):
    """Fails."""

    kind = "broken"
    parts: tuple[Step, ...] = ()

    def run(self, bench: Workbench) -> None:
        raise Picky("never ", "works")


def drive(address: str, folder: Path) -> None:
    """One driver of the study."""
    run(study(SECONDS), Store(folder / "store"), Resources(data_root=str(folder)), address=address)


def start(address: str, folder: Path) -> subprocess.Popen[bytes]:
    """A driver in a process of its own."""
    return subprocess.Popen([sys.executable, __file__, "drive", str(folder), address])


def until(condition: Callable[[], object]) -> None:
    """Waits until the condition holds."""
    end = time.monotonic() + PATIENCE
    while not condition():
        if time.monotonic() > end:
            raise TimeoutError
        time.sleep(0.05)


def kill_a_worker(cluster: Cluster) -> None:
    """Kills a process that works on a step at this moment."""
    seen: list[int] = []
    until(lambda: seen.extend(busy(cluster)) or seen)
    os.kill(seen[0], signal.SIGKILL)


def busy(cluster: Cluster) -> list[int]:
    """Worker processes of the cluster that run a step: their titles end in its name."""
    raylets = {info.process.pid for node in cluster.list_all_nodes() for info in node.all_processes["raylet"]}
    found = []
    for entry in Path("/proc").glob("[0-9]*"):
        try:
            title = (entry / "cmdline").read_bytes().split(b"\0")[0].decode()
            parent = int((entry / "stat").read_text().rpartition(")")[2].split()[1])
        except (OSError, ValueError):
            continue  # it ended meanwhile
        if parent in raylets and title.startswith("ray::") and title[5:6].isdigit():
            found.append(int(entry.name))
    return found


def count(store: Store, name: str) -> int:
    """Events of a name in the log."""
    return sum(event["event"] == name for event in store.events())


def rot(store: Store) -> None:
    """Changes a byte of an artefact that a step not yet begun will read."""
    begun = {event["key"] for event in store.events() if event["event"] == "started"}
    waiting = [step for step in every(study(SECONDS)).values() if step.key not in begun]
    read = next(part for step in waiting for part in step.parts if store.has(part))
    path = Path(store.address) / read.place / "long.bin"
    path.write_bytes(b"x" + path.read_bytes()[1:])


def disturb(cluster: Cluster, folder: Path) -> list[int]:
    """Two drivers on one store; one is killed, workers die, an artefact rots, a node goes and one comes."""
    store = Store(folder / "store")
    doomed = start(cluster.address, folder)
    until(lambda: count(store, "finished") >= 4)
    kill_a_worker(cluster)
    survivor = start(cluster.address, folder)
    until(lambda: count(store, "finished") >= 12)
    doomed.kill()
    until(lambda: count(store, "finished") >= 18)
    kill_a_worker(cluster)
    rot(store)
    until(lambda: count(store, "finished") >= 24)
    cluster.remove_node(cluster.list_all_nodes()[1], allow_graceful=False)
    cluster.add_node(num_cpus=2)
    until(lambda: count(store, "finished") >= 30)
    kill_a_worker(cluster)
    return [doomed.wait(), survivor.wait()]


def files(store: Store, step: Step) -> dict[str, StoredFile]:
    """Of an artefact whose content was compared with its hashes."""
    store.fetch(step)
    return dict(store.manifest(step).files)


def faults(cluster: Cluster, folder: Path) -> dict[str, object]:
    """What a study that was disturbed left, beside one that was not."""
    begun = time.monotonic()
    ended = disturb(cluster, folder)
    seconds = time.monotonic() - begun
    (folder / "alone").mkdir()
    alone, store = Store(folder / "alone" / "store"), Store(folder / "store")
    run_here(study(0.0), alone, Resources(data_root=str(folder / "alone")))
    pairs = list(zip(every(study(SECONDS)).values(), every(study(0.0)).values(), strict=True))
    finished = Counter(event["key"] for event in store.events() if event["event"] == "finished")
    return {
        "ended": ended,
        "equal": [files(store, one) == files(alone, other) for one, other in pairs],
        "finished": sorted(finished[step.key] for step, _ in pairs),
        "folders": len([path for path in (folder / "store" / "mix").iterdir() if path.is_dir()]),
        "damaged": count(store, "damaged"),
        "lost": count(store, "lost"),
        "seconds": seconds,
    }


def failing(cluster: Cluster, folder: Path) -> dict[str, object]:
    """What is said of a step that never works, and how often it was tried, on a store that is no folder."""
    store = Store(f"dir::file://{folder}/remote", cache=folder / "cache")
    broken = Broken()
    steps = [Mix(name="good"), broken, Mix(name="user", parts=(broken,))]
    try:
        run(steps, store, Resources(data_root=str(folder)), address=cluster.address)
    except StudyFailure as failure:
        good = store.fetch(steps[0]).is_dir()
        return {"message": str(failure), "failed": count(store, "failed"), "good": good}
    return {}


def real(cluster: Cluster, folder: Path) -> dict[str, bool]:
    """Which artefacts of a small real study hold the same files as those of a local run."""
    sizes = {
        "images": 8,
        "seen": 500,
        "encoded": 500,
        "epochs": 1,
        "draws": 2,
        "eot": 2,
        "audit": 2,
        "played": 5,
    }
    question = Question(
        data="digits",
        classifier=adopt("own", OWN).Own.name,
        defenses=("none", "dae"),
        attacks=("fgsm",),
        epsilons=(0.3,),
    )
    experiments = compose(question, Scale(name="smoke", **sizes), Resources())
    steps = [step for experiment in experiments for step in (*experiment.trainings(), *experiment.judged)]
    there, here = Store(folder / "there"), Store(folder / "here")
    run(steps, there, address=cluster.address)
    run_here(steps, here)
    return {
        step.label: timeless(there, step) == timeless(here, step)
        for step in needed(steps, lambda step: False)[1]
    }


def timeless(store: Store, step: Step) -> dict[str, StoredFile]:
    """Files of an artefact without training curves, which hold seconds."""
    return {name: file for name, file in files(store, step).items() if name != "history.json"}


def main(folder: Path) -> None:
    """Prints what was found as JSON."""
    head = {"num_cpus": 1, "include_dashboard": False, "_system_config": QUICK}
    cluster = Cluster(initialize_head=True, head_node_args=head)
    cluster.add_node(num_cpus=2)
    try:
        found = {
            "failing": failing(cluster, folder),
            "real": real(cluster, folder),
            "faults": faults(cluster, folder),
        }
    finally:
        cluster.shutdown()
    print(json.dumps(found))


if __name__ == "__main__":
    if sys.argv[1] == "drive":
        drive(sys.argv[3], Path(sys.argv[2]))
    else:
        main(Path(sys.argv[2]))
