"""Studies on a real cluster of several node processes, whose workers, node and driver are killed."""

import json
import os
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

import pytest

from purifold.engine import ray as cluster
from purifold.engine.step import Resources
from purifold.engine.store import Store
from purifold.errors import Failure, InputError

PROGRAM = Path(__file__).with_name("cluster_program.py")
ALONE = ("unshare", "--net", "bash", "-c", 'ip link set lo up && exec "$@"', "bash")
"""Runs a command with a network of its own, in which there is nothing but the loopback."""


def alone() -> bool:
    """Whether this user may have one."""
    try:
        return subprocess.run([*ALONE, "true"], capture_output=True, check=False).returncode == 0
    except FileNotFoundError:
        return False


@pytest.fixture(scope="module")
def seen(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    """What `cluster_program.main` saw."""
    pytest.importorskip("ray", reason="the extra `ray` is not installed")
    if not alone():
        pytest.skip("needs `unshare --net` and `ip`, as root on Linux")
    paths = [*sys.path, str(PROGRAM.parent)]
    with tempfile.TemporaryDirectory(prefix="ray-") as short:  # sockets lie there, whose paths must be short
        environment = {
            **os.environ,
            "PYTHONPATH": os.pathsep.join(path for path in paths if path),
            "RAY_TMPDIR": short,
            "FSSPEC_FILE": '{"auto_mkdir": true}',  # as an object store: no folders to be made
            "RAY_USAGE_STATS_ENABLED": "0",
            "OMP_NUM_THREADS": "1",  # as Ray's workers have: with more, sums come in another order
        }
        command = [*ALONE, sys.executable, str(PROGRAM), "main", str(tmp_path_factory.mktemp("cluster"))]
        found = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)
    assert found.returncode == 0, found.stderr[-2000:]
    return json.loads(found.stdout.splitlines()[-1])


KILLS = 5
"""Of workers, a driver and a node."""


@pytest.mark.slow
def test_a_study_whose_cluster_falls_apart_ends_as_one_left_alone(seen: dict[str, Any]) -> None:
    faults = seen["faults"]
    assert faults["ended"] == [-9, 0]  # one driver was killed, the other came to the end
    assert faults["equal"] == [True] * 54
    assert faults["folders"] == 54
    unsaid = faults["finished"].count(0)  # killed between its artefact and its line in the log
    assert unsaid <= KILLS
    assert faults["finished"] == [0] * unsaid + [1] * (53 - unsaid) + [2]  # one rotted, and was made again
    assert faults["damaged"] == 1
    assert faults["lost"] >= 2
    assert faults["seconds"] < 300  # a bound against waiting for ever, not a measure


@pytest.mark.slow
def test_a_step_that_never_works_is_tried_three_times_and_named(seen: dict[str, Any]) -> None:
    failing = seen["failing"]
    assert failing["message"] == (
        "1 of 3 steps failed, 1 that need them were left out: broken cd831022: Picky: never works"
    )
    assert failing["failed"] == 3
    assert failing["good"]


def test_without_ray_one_line_says_what_to_install(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "ray", None)
    with pytest.raises(InputError, match="pip install ray"):
        cluster.run([], Store(tmp_path), Resources())


def test_a_store_that_workers_cannot_see_is_refused() -> None:
    with pytest.raises(InputError, match="workers cannot see the store memory://here"):
        cluster.run([], Store("memory://here"), Resources())


@pytest.mark.parametrize(
    "address", ["127.0.0.1:1", "no.such.host:6379", "somewhere", "ray://127.0.0.1:1", "127.0.0.1:99999"]
)
def test_an_address_where_nothing_answers_is_refused_at_once(address: str, tmp_path: Path) -> None:
    pytest.importorskip("ray", reason="the extra `ray` is not installed")
    with pytest.raises(InputError, match=f"no Ray cluster answers at {address}"):
        cluster.run([], Store(tmp_path), Resources(), address=address)


@pytest.mark.parametrize("error", [ValueError("wrong\nin two lines"), Failure("plain")])
def test_an_error_of_a_worker_arrives_as_it_was_with_its_traceback(error: Exception) -> None:
    try:
        raise error
    except Exception as raised:
        arrived = cluster._portable(raised)
    assert (type(arrived), str(arrived)) == (type(error), str(error))
    assert "test_ray.py" in arrived.__notes__[0]


@pytest.mark.slow
def test_a_real_study_leaves_the_same_bytes_as_a_local_run(seen: dict[str, Any]) -> None:
    assert len(seen["real"]) == 8
    assert all(seen["real"].values())
