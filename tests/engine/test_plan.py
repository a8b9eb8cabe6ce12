"""Plans and forecasts, against sums done by hand."""

import sys
from pathlib import Path
from types import ModuleType

import pytest

from purifold.engine.make import make
from purifold.engine.plan import Forecast, needed, plan
from purifold.engine.step import Resources, Step
from purifold.engine.store import Store


def publish(store: Store, step: Step, seconds: float) -> None:
    with store.work(step) as place:
        (place.folder / "a").write_bytes(b"a")
        store.publish(step, place, seconds=seconds, device="cpu")


def test_inputs_come_first_and_nothing_is_listed_twice(program: ModuleType) -> None:
    steps = program.study()
    done, todo = needed([*steps, *steps], lambda step: False)
    keys = [step.key for step in todo]
    assert done == []
    assert sorted(keys) == sorted(program.every(steps))
    assert all(keys.index(part.key) < keys.index(step.key) for step in todo for part in step.parts)


def test_below_what_is_there_nothing_is_asked(program: ModuleType) -> None:
    asked: list[str] = []
    steps = program.study()

    def sound(step: Step) -> bool:
        asked.append(step.name)
        return step.name.startswith("third")

    done, todo = needed(steps, sound)
    assert {step.name for step in done} == {f"third-{place}" for place in range(4)}
    assert [step.name for step in todo] == ["first-0", "last-0", "last-1", "last-2"]
    assert not [name for name in asked if name.startswith("second")]


def test_a_chain_longer_than_the_recursion_limit_is_planned(program: ModuleType) -> None:
    step = program.Mix(name="0")
    for place in range(1, 2000):
        assert step.key  # known from below, as it is when a study is built and run
        step = program.Mix(name=str(place), parts=(step,))
    assert [part.name for part in needed([step], lambda step: False)[1]] == [
        str(place) for place in range(2000)
    ]


def test_a_plan_adds_up_earlier_artefacts_of_the_same_kind(
    store: Store, program: ModuleType, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name, seconds in (("a", 2.0), ("b", 4.0)):
        publish(store, program.Mix(name=name), seconds)
    made = plan([program.Mix(name=name) for name in "abcd"], store)
    assert [step.name for step in made.done] == ["a", "b"]
    assert [step.name for step in made.todo] == ["c", "d"]
    assert (made.seconds, made.unknown) == (6.0, 0)
    assert plan([program.Mix(name="b:2")], store).seconds == 4.0
    monkeypatch.setattr(program.Mix, "kind", "other")
    made = plan([program.Mix(name="e")], store)
    assert (made.seconds, made.unknown) == (0.0, 1)


def forecast_of(program: ModuleType, folder: Path, **counts: int) -> Forecast:
    """Of so many steps of each name; likeness ends a name at a colon."""
    steps = [program.Mix(name=f"{name}:{place}") for name, count in counts.items() for place in range(count)]
    return Forecast(Store(folder), steps)


def test_a_forecast_takes_running_and_unknown_steps_into_account(
    tmp_path: Path, program: ModuleType, monkeypatch: pytest.MonkeyPatch
) -> None:
    step = program.Mix(name="a:9")
    forecast = forecast_of(program, tmp_path, a=2)
    assert forecast.remaining() is None
    # a quarter done in 3 s: 9 s are left of it, and 12 s for the other
    assert forecast.remaining((step, 3.0, 0.25)) == 9 + 12
    forecast.learn(step, 10.0)
    forecast.learn(step, 20.0)
    assert forecast.remaining() == 2 * 15
    assert forecast.remaining((step, 5.0, 0.0)) == 10 + 15
    assert forecast.remaining((step, 50.0, 0.0)) == 15
    monkeypatch.setattr(program.Mix, "kind", "other")
    for place in range(2):
        forecast.add(program.Mix(name=f"b:{place}"))
    assert forecast.remaining() == 4 * 15
    assert forecast.known() == (2 * 15, 2)
    forecast.add(program.Mix(name="b:2"))
    assert forecast.remaining() is None  # two of five say little of all


def test_steps_alike_are_timed_apart_from_others_of_their_kind(tmp_path: Path, program: ModuleType) -> None:
    forecast = forecast_of(program, tmp_path, quick=5, slow=2)
    for name, seconds in (("quick:6", 1.0), ("quick:7", 3.0), ("slow:3", 800.0)):
        forecast.learn(program.Mix(name=name), seconds)
    assert forecast.remaining() == 5 * 2 + 2 * 800
    assert forecast.remaining((program.Mix(name="slow:0"), 300.0, 0.0)) == 5 * 2 + 500 + 800
    forecast.add(program.Mix(name="slow:0"), -1)
    assert forecast.remaining() == 5 * 2 + 800
    third = program.Mix(name="third:0")
    forecast.add(third, 3)
    assert forecast.remaining() == pytest.approx(5 * 2 + 800 + 3 * (1 + 3 + 800) / 3)
    # of the first of its sort what it goes on to take is known better than by its kind
    assert forecast.remaining((third, 5.0, 0.5)) == 5 * 2 + 800 + 5 + 2 * 10
    forecast.learn(third, 20.0)
    assert forecast.remaining() == 5 * 2 + 800 + 3 * 20


def test_a_kind_never_timed_is_taken_at_the_median_of_the_others(
    tmp_path: Path, program: ModuleType, monkeypatch: pytest.MonkeyPatch
) -> None:
    forecast = Forecast(Store(tmp_path), [])
    for kind, seconds in (("train", 500.0), ("craft", 3.0), ("judge", 1.0)):
        monkeypatch.setattr(program.Mix, "kind", kind)
        forecast.learn(program.Mix(name=kind), seconds)
    forecast.add(program.Mix(name="judge"))
    monkeypatch.setattr(program.Mix, "kind", "codes")
    forecast.add(program.Mix(name="codes"))
    assert forecast.remaining() == 1 + 3


def test_the_last_twenty_artefacts_count(tmp_path: Path, program: ModuleType) -> None:
    forecast = forecast_of(program, tmp_path, a=3)
    for seconds in [1000.0, *[1.0] * 20]:
        forecast.learn(program.Mix(name="a:4"), seconds)
    assert forecast.remaining() == pytest.approx(3)


@pytest.mark.parametrize("sorts", [1, 2_000])
def test_to_ask_for_a_forecast_takes_no_longer_with_more_sorts_of_steps(
    sorts: int, tmp_path: Path, program: ModuleType
) -> None:
    forecast = forecast_of(program, tmp_path, **{f"sort{number}": 1 for number in range(sorts)})
    forecast.learn(program.Mix(name="sort0"), 1.0)
    forecast.remaining()
    events: list[str] = []
    sys.setprofile(lambda frame, event, argument: events.append(event))
    forecast.remaining()
    sys.setprofile(None)
    assert len(events) < 1000


def test_making_one_step_is_what_a_worker_elsewhere_does(
    store: Store, elsewhere: Store, resources: Resources, program: ModuleType
) -> None:
    first = program.Mix(name="first")
    wanted = program.Mix(name="last", parts=(first,))
    told: list[tuple[float, str]] = []
    assert make(first, elsewhere, resources, lambda fraction, note: None).key == first.key
    assert make(wanted, store, resources, lambda fraction, note: told.append((fraction, note))) is not None
    assert make(wanted, store, resources, lambda fraction, note: None) is None
    assert told == [(0.0, ""), (0.25, "round 1"), (0.5, "round 2"), (0.75, "round 3"), (1.0, "round 4")]
    assert (elsewhere.fetch(wanted) / "deep" / "digest.bin").read_bytes() == program.expected(wanted)
