"""A study: each step once, whatever is killed, broken, full or done by a neighbour meanwhile."""

import errno
import logging
from collections.abc import Callable
from pathlib import Path
from types import ModuleType

import pytest

from purifold.engine.local import run
from purifold.engine.make import DiskFull
from purifold.engine.manifest import Manifest
from purifold.engine.plan import plan
from purifold.engine.progress import Event
from purifold.engine.step import Resources, Step, Workbench
from purifold.engine.store import Store
from purifold.engine.study import StudyFailure
from purifold.errors import Failure

DIGEST = "deep/digest.bin"
Rewrite = Callable[[Step, str, Callable[[bytes], bytes | None]], None]


def fails(monkeypatch: pytest.MonkeyPatch, program: ModuleType, error: BaseException, *names: str) -> None:
    """Lets the steps of these names raise at their end."""
    genuine = program.Mix.run

    def failing(self: Step, bench: Workbench) -> None:
        genuine(self, bench)
        if self.name in names:
            raise error

    monkeypatch.setattr(program.Mix, "run", failing)


def test_every_step_runs_once_after_its_inputs(
    store: Store, resources: Resources, program: ModuleType
) -> None:
    steps = program.study()
    report = run(steps, store, resources)
    assert program.right(store, steps)
    assert program.ends(resources) == program.once(steps)
    order = [step.key for step in report.made]
    assert len(order) == 15
    assert all(
        order.index(part.key) < order.index(step.key)
        for step in program.every(steps).values()
        for part in step.parts
    )


def test_a_second_run_does_nothing(store: Store, resources: Resources, program: ModuleType) -> None:
    run(program.study(), store, resources)
    log = store.events()
    report = run(program.study(), store, resources)
    assert report.made == ()
    assert len(report.found) == 3
    assert store.events() == log


def test_inputs_of_what_is_there_need_not_exist(
    store: Store, resources: Resources, program: ModuleType, rewrite: Rewrite
) -> None:
    wanted = program.Mix(name="last", parts=(program.Mix(name="first"),))
    run([wanted], store, resources)
    rewrite(wanted.parts[0], "artefact.json", lambda content: None)
    assert run([wanted], store, resources).made == ()


def test_both_sorts_of_store_hold_the_same_files(
    tmp_path: Path, resources: Resources, program: ModuleType
) -> None:
    local, remote = Store(tmp_path / "store"), Store("memory://same", cache=tmp_path / "cache")
    for store in (local, remote):
        run(program.study(), store, resources)
    for step in program.every(program.study()).values():
        assert local.manifest(step).files == remote.manifest(step).files


def test_a_failed_step_is_named_and_only_what_needs_it_is_left_out(
    store: Store, resources: Resources, program: ModuleType, monkeypatch: pytest.MonkeyPatch
) -> None:
    steps = program.study()
    with monkeypatch.context() as patch:
        fails(patch, program, ValueError("diverged\nat step 3"), "second-4")
        with pytest.raises(StudyFailure) as caught:
            run(steps, store, resources)
    report = caught.value.report
    assert [step.name for step, _ in report.failed] == ["second-4"]
    assert sorted(step.name for step in report.skipped) == ["last-2", "third-3"]
    assert len(report.made) == 12
    assert str(caught.value) == "1 of 15 steps failed, 2 that need them were left out: second-4: diverged"
    assert isinstance(caught.value.__cause__, ValueError)
    assert [step.name for step in run(steps, store, resources).made] == ["second-4", "third-3", "last-2"]
    assert program.right(store, steps)


def test_a_step_that_failed_goes_on_from_its_scratch(
    store: Store, resources: Resources, program: ModuleType, monkeypatch: pytest.MonkeyPatch
) -> None:
    step = program.Mix(name="only")
    with monkeypatch.context() as patch:
        fails(patch, program, ValueError("no"), "only")
        with pytest.raises(StudyFailure):
            run([step], store, resources)
    run([step], store, resources)
    path = Path(resources.data_root) / "journal"
    assert [line.split()[2] for line in path.read_text().splitlines()] == ["0", str(program.ROUNDS)]
    assert store.manifest(step).starts == 2
    assert program.right(store, [step])


@pytest.mark.parametrize("which", ["input", "wanted"])
def test_damage_is_said_and_made_again(
    *,
    which: str,
    store: Store,
    elsewhere: Store,
    resources: Resources,
    program: ModuleType,
    rewrite: Rewrite,
    caplog: pytest.LogCaptureFixture,
) -> None:
    first = program.Mix(name="first")
    middle = program.Mix(name="middle", parts=(first,))
    wanted = program.Mix(name="last", parts=(middle,))
    run([wanted] if which == "wanted" else [middle], store, resources)
    hurt = wanted if which == "wanted" else middle
    rewrite(first, DIGEST, lambda content: None)
    rewrite(hurt, DIGEST, lambda content: b"x" * len(content))
    events: list[Event] = []
    with caplog.at_level(logging.WARNING):
        report = run([wanted], elsewhere, resources, events.append)
    assert "another SHA-256" in caplog.text
    again = [f"{event.label}: {event.note}" for event in events if event.state == "again"]
    said = "last: an input is gone or was damaged, and is made again"
    assert again == ([said] if which == "input" else [])
    assert [step.name for step in report.made] == (
        ["last"] if which == "wanted" else ["first", "middle", "last"]
    )
    assert (elsewhere.fetch(wanted) / DIGEST).read_bytes() == program.expected(wanted)


def test_a_disk_that_damages_everything_ends_the_study(
    tmp_path: Path, resources: Resources, program: ModuleType, monkeypatch: pytest.MonkeyPatch
) -> None:
    store = Store(tmp_path / "store")
    wanted = program.Mix(name="last", parts=(program.Mix(name="first"),))
    genuine = Store.publish

    def damaging(self: Store, step: Step, *arguments: object, **options: object) -> Manifest | None:
        made = genuine(self, step, *arguments, **options)
        (tmp_path / "store" / step.place / DIGEST).write_bytes(b"x" * 32)
        return made

    monkeypatch.setattr(Store, "publish", damaging)
    with pytest.raises(StudyFailure, match="last: first is not in"):
        run([wanted], store, resources)


@pytest.mark.parametrize("where", ["step", "manifest", "log"])
def test_a_full_disk_ends_in_one_line_and_leaves_no_half_artefact(
    where: str, tmp_path: Path, resources: Resources, program: ModuleType, monkeypatch: pytest.MonkeyPatch
) -> None:
    store, steps = Store(tmp_path / "store"), program.study()

    def full(*arguments: object, **options: object) -> None:
        with Path("/dev/full").open("wb", buffering=0) as device:  # raises a real ENOSPC
            device.write(b"x")

    places = {"step": (program, "journal"), "manifest": (Manifest, "to_json"), "log": (Store, "log")}
    run([steps[0].parts[2]], store, resources)
    with monkeypatch.context() as patch:
        patch.setattr(*places[where], full)
        with pytest.raises(DiskFull) as caught:
            run(steps, store, resources)
    assert isinstance(caught.value, Failure)
    assert "\n" not in str(caught.value)
    assert "no space left while" in str(caught.value)
    assert not list((tmp_path / "store").rglob("*.run-*"))
    assert sum(store.has(step) for step in program.every(steps).values()) == 1
    assert len(run(steps, store, resources).made) == 14
    assert program.right(store, steps)


def wrapped(error: Exception) -> Failure:
    """A failure that a step made of `error`."""
    try:
        raise Failure("the weights could not be written") from error
    except Failure as failure:
        return failure


@pytest.mark.parametrize(
    "error",
    [
        OSError(errno.ENOSPC, "full"),
        OSError(errno.EDQUOT, "Disk quota exceeded"),
        RuntimeError('Error while serializing: IoError(Os { code: 28, message: "No space left on device" })'),
        wrapped(OSError(errno.ENOSPC, "full")),
    ],
)
def test_a_full_disk_is_recognised_in_whatever_form_it_comes(
    error: Exception, tmp_path: Path, program: ModuleType, monkeypatch: pytest.MonkeyPatch
) -> None:
    fails(monkeypatch, program, error, "only")
    with pytest.raises(DiskFull):
        run([program.Mix(name="only")], Store(tmp_path / "store"), Resources(data_root=str(tmp_path)))


def test_an_interrupt_leaves_the_store_sound(
    store: Store, resources: Resources, program: ModuleType, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    steps = program.study()
    with monkeypatch.context() as patch:
        fails(patch, program, KeyboardInterrupt(), "third-1")
        with pytest.raises(KeyboardInterrupt):
            run(steps, store, resources)
    assert not list(tmp_path.rglob("*.run-*"))
    run(steps, store, resources)
    assert program.right(store, steps)
    again = [step.key for step in program.every(steps).values() if step.name == "third-1"]
    assert program.ends(resources) == program.once(steps) | {again[0]: 2}


def test_a_step_in_the_hands_of_another_is_put_off_then_found(
    store: Store, resources: Resources, program: ModuleType
) -> None:
    first, second = program.Mix(name="first"), program.Mix(name="second")
    events: list[Event] = []
    other = Store(store.address, store.cache)
    lock = other.lock(first)
    lock.__enter__()

    def listen(event: Event) -> None:
        events.append(event)
        if event.state == "waiting" and not store.has(first):
            with other.work(first) as place:
                (place.folder / "deep").mkdir()
                (place.folder / DIGEST).write_bytes(program.expected(first))
                other.publish(first, place, seconds=1.0, device="cpu")
            lock.__exit__(None, None, None)

    report = run([first, second], store, resources, listen)
    assert [step.name for step in report.made] == ["second"]
    assert [step.name for step in report.found] == ["first"]
    assert [event.state for event in events if event.state != "running"] == ["made", "waiting", "found"]


def test_events_count_up_to_the_end(store: Store, resources: Resources, program: ModuleType) -> None:
    events: list[Event] = []
    run(program.study(0.12)[:1], store, resources, events.append)
    over = [event for event in events if event.state == "made"]
    assert [(event.done, event.total) for event in over] == [
        (place + 1, len(over)) for place in range(len(over))
    ]
    assert over[-1].remaining == 0
    inside = [event for event in events if event.state == "running" and event.fraction > 0]
    assert {event.note for event in inside} <= {"round 1", "round 2", "round 3", "round 4"}
    each = inside[0].seconds / inside[0].fraction  # as long as this one goes on to take
    assert inside[0].remaining == pytest.approx(each * len(over) - inside[0].seconds)


def test_a_dry_run_says_what_a_run_would_do(store: Store, resources: Resources, program: ModuleType) -> None:
    steps = program.study()
    run([steps[0].parts[0]], store, resources)
    before = plan(steps, store)
    assert {step.name for step in before.done} == {"first-0", "first-1", "first-2", "third-0", "second-1"}
    log = store.events()
    assert plan(steps, store) == before
    assert store.events() == log
    assert list(before.todo) == list(run(steps, store, resources).made)
