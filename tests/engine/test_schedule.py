"""The schedule, against a naive one that looks at every step each time."""

import random
from types import ModuleType

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from purifold.engine.plan import needed
from purifold.engine.schedule import Schedule, longest_first
from purifold.engine.step import Step


def graph(program: ModuleType, dice: random.Random, count: int) -> list[Step]:
    """Steps with up to three inputs among those before them."""
    steps: list[Step] = []
    for place in range(count):
        parts = dice.sample(steps, min(len(steps), dice.randrange(4)))
        steps.append(program.Mix(name=f"{place}", parts=tuple(parts)))
    return steps


def below(step: Step, keys: set[str]) -> bool:
    """Whether a step needs one of these, through others too."""
    return any(part.key in keys or below(part, keys) for part in step.parts)


@given(seed=st.integers(0, 10_000), slots=st.integers(1, 5))
@settings(max_examples=60, deadline=None)
def test_it_offers_what_a_naive_schedule_offers_in_the_order_of_the_study(
    program: ModuleType, seed: int, slots: int
) -> None:
    dice = random.Random(seed)
    steps = graph(program, dice, 14)
    schedule = Schedule(steps)
    finished: set[str] = set()
    failed: set[str] = set()
    skipped: set[str] = set()
    deferred: set[str] = set()
    running: list[Step] = []
    while schedule:
        busy = {step.key for step in running} | deferred | finished | failed | skipped
        naive = [
            step
            for step in steps
            if step.key not in busy and all(part.key in finished for part in step.parts)
        ]
        assert schedule.ready == len(naive)
        taken = [schedule.take() for _ in range(min(slots - len(running), len(naive)))]
        assert taken == naive[: len(taken)]
        running += taken
        assert schedule.running == len(running)
        if not running:
            schedule.resume()
            deferred.clear()
            continue
        step = running.pop(dice.randrange(len(running)))
        match dice.choice(["finish", "finish", "fail", "defer", "again"]):
            case "finish":
                schedule.finish(step)
                finished.add(step.key)
            case "fail":
                failed.add(step.key)
                users = {user.key for user in schedule.give_up(step)}
                assert users == {one.key for one in steps if below(one, failed)} - skipped
                skipped |= users
            case "defer":
                schedule.defer(step)
                deferred.add(step.key)
            case "again":
                assert schedule.again(step) == ()
        assert {one.key for one in schedule.deferred} == deferred
        assert len(schedule) == len(steps) - len(finished | failed | skipped)
    assert {step.key for step in steps} == finished | failed | skipped


@pytest.fixture
def chain(program: ModuleType) -> list[Step]:
    """Three steps, each the input of the next."""
    first = program.Mix(name="first")
    middle = program.Mix(name="middle", parts=(first,))
    return [first, middle, program.Mix(name="last", parts=(middle,))]


def test_a_step_goes_back_behind_inputs_that_are_gone(chain: list[Step]) -> None:
    first, middle, last = chain
    schedule = Schedule([last])
    assert schedule.take() is last
    assert schedule.again(last, [first, middle]) == ()
    for step in chain:
        assert (schedule.ready, schedule.take()) == (1, step)
        schedule.finish(step)
    assert not schedule


def test_two_steps_that_miss_one_input_wait_for_the_same(program: ModuleType) -> None:
    first = program.Mix(name="first")
    left, right = (program.Mix(name=name, parts=(first,)) for name in ("left", "right"))
    schedule = Schedule([left, right])
    assert [schedule.take(), schedule.take()] == [left, right]
    schedule.again(left, [first])
    schedule.again(right, [])
    assert schedule.take() is first
    assert schedule.take() is None
    schedule.finish(first)
    assert [schedule.take(), schedule.take(), schedule.take()] == [left, right, None]


def test_what_needs_an_input_that_was_given_up_is_left_out_with_it(
    program: ModuleType, chain: list[Step]
) -> None:
    first, middle, last = chain
    user = program.Mix(name="user", parts=(last,))
    schedule = Schedule([first, last, user])  # middle was there when the study began
    schedule.take()
    assert schedule.take() is last
    assert schedule.give_up(first) == ()
    assert schedule.again(last, [middle]) == (middle, last, user)
    assert not schedule


def test_a_step_that_was_finished_can_be_needed_again(chain: list[Step]) -> None:
    schedule = Schedule(needed(chain[-1:], lambda step: False)[1])
    schedule.finish(schedule.take())
    middle = schedule.take()
    schedule.again(middle, [chain[0]])
    assert schedule.take() is chain[0]
    assert schedule.take() is None


def height(step: Step, steps: list[Step]) -> int:
    """How many steps the longest chain has that waits for this one."""
    return max((1 + height(user, steps) for user in steps if step in user.parts), default=0)


@given(seed=st.integers(0, 10_000))
@settings(max_examples=30, deadline=None)
def test_long_chains_come_first_and_inputs_before_what_needs_them(program: ModuleType, seed: int) -> None:
    steps = graph(program, random.Random(seed), 10)
    todo = needed(steps, lambda step: False)[1]
    order = longest_first(todo)
    heights = [height(step, steps) for step in order]
    assert heights == sorted(heights, reverse=True)
    assert sorted(order, key=todo.index) == todo
    assert all(order.index(part) < order.index(step) for step in steps for part in step.parts)
