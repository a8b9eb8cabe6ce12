"""Every exhibit of every paper, by discovery: what it says that it needs is what stands in it."""

from collections.abc import Mapping
from dataclasses import fields, is_dataclass

import pytest

from purifold.engine.experiment import Experiment
from purifold.engine.scale import SCALES
from purifold.engine.step import Step
from purifold.papers.library import papers
from purifold.papers.table import Table


def inside(value):
    """Experiments and steps anywhere in a description, found without asking it."""
    if isinstance(value, Experiment | Step):
        yield value
    elif isinstance(value, tuple | Mapping):
        for item in value.values() if isinstance(value, Mapping) else value:
            yield from inside(item)
    elif is_dataclass(value):
        for entry in fields(value):
            yield from inside(getattr(value, entry.name))


@pytest.mark.parametrize("name", papers())
def test_an_exhibit_needs_all_that_stands_in_it_and_nothing_else(name, mnist_like):
    study = papers()[name].study(SCALES["smoke"], mnist_like, 0)
    for exhibit in study.exhibits:
        found = list(inside(exhibit))
        steps = {thing for thing in found if isinstance(thing, Step)}
        experiments = {thing for thing in found if isinstance(thing, Experiment)}
        assert set(exhibit.measurements) == steps
        assert set(exhibit.experiments) == experiments
        assert steps or experiments
        assert steps <= set(study.steps())
        assert experiments <= set(study.experiments)


@pytest.mark.parametrize("name", papers())
def test_names_of_exhibits_differ_and_their_captions_end_without_a_full_stop(name, mnist_like):
    exhibits = papers()[name].study(SCALES["smoke"], mnist_like, 0).exhibits
    names = [exhibit.name for exhibit in exhibits]
    assert len(set(names)) == len(names)
    assert all(
        exhibit.caption and not exhibit.caption.endswith(".") for exhibit in exhibits
    )  # the page adds it


@pytest.mark.parametrize("name", papers())
def test_a_section_of_records_is_at_a_budget_of_each_of_its_experiments(name, mnist_like):
    for exhibit in papers()[name].study(SCALES["smoke"], mnist_like, 0).exhibits:
        for section in exhibit.sections if isinstance(exhibit, Table) else ():
            assert all(section.epsilon in experiment.epsilons for experiment in section.experiments)
