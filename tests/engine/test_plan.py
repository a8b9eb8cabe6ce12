"""Plans and forecasts, against sums done by hand."""

from pathlib import Path
from types import ModuleType

import pytest

from purifold.engine.make import make
from purifold.engine.plan import Forecast, needed, plan, sort
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


def test_a_forecast_takes_running_and_unknown_steps_into_account(tmp_path: Path, program: ModuleType) -> None:
    step = program.Mix(name="a")
    train, judge = sort(step), ("judge", "any")
    forecast = Forecast(Store(tmp_path), [step])
    assert forecast.remaining({train: 2}) is None
    # a quarter done in 3 s: 9 s are left of it, and 12 s for each that follows
    assert forecast.remaining({train: 2}, (train, 3.0, 0.25)) == 9 + 2 * 12
    forecast.learn(step, 10.0)
    forecast.learn(step, 20.0)
    assert forecast.remaining({train: 2}) == 2 * 15
    assert forecast.remaining({train: 2, judge: 2}) == 4 * 15
    assert forecast.remaining({train: 1, judge: 2}) is None  # one of three says little of all
    assert forecast.remaining({train: 1}, (train, 5.0, 0.0)) == 15 + 10
    assert forecast.remaining({train: 1}, (train, 50.0, 0.0)) == 15


def test_steps_alike_are_timed_apart_from_others_of_their_kind(tmp_path: Path, program: ModuleType) -> None:
    forecast = Forecast(Store(tmp_path), [])
    for name, seconds in (("quick:1", 1.0), ("quick:2", 3.0), ("slow:1", 800.0)):
        forecast.learn(program.Mix(name=name), seconds)
    quick, slow, other = (sort(program.Mix(name=name)) for name in ("quick:3", "slow:2", "third"))
    assert forecast.remaining({quick: 5}) == 5 * 2
    assert forecast.remaining({quick: 5, slow: 2}) == 5 * 2 + 2 * 800
    assert forecast.remaining({other: 1}) == (1 + 3 + 800) / 3
    assert forecast.remaining({quick: 1}, (slow, 300.0, 0.0)) == 2 + 500
    # of the first of its sort what it goes on to take is known better than by its kind
    assert forecast.remaining({other: 1, quick: 1}, (other, 5.0, 0.5)) == 5 + 10 + 2


def test_a_kind_never_timed_is_taken_at_the_median_of_the_others(
    tmp_path: Path, program: ModuleType, monkeypatch: pytest.MonkeyPatch
) -> None:
    forecast = Forecast(Store(tmp_path), [])
    for kind, seconds in (("train", 500.0), ("craft", 3.0), ("judge", 1.0)):
        monkeypatch.setattr(program.Mix, "kind", kind)
        forecast.learn(program.Mix(name=kind), seconds)
    assert forecast.remaining({("codes", "any"): 10, ("judge", "any"): 10}) == 10 * 3 + 10 * 1
    assert forecast.remaining({("codes", "any"): 10}) is None


def test_the_last_twenty_artefacts_count(tmp_path: Path, program: ModuleType) -> None:
    forecast, step = Forecast(Store(tmp_path), []), program.Mix(name="a")
    for seconds in [1000.0, *[1.0] * 20]:
        forecast.learn(step, seconds)
    assert forecast.remaining({sort(step): 3}) == 3


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
