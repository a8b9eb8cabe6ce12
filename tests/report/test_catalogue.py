"""Lists: everything that is there, once, and examples that the command line takes."""

import shlex

import pytest
import typer

from purifold.attacks.base import Attack
from purifold.cli import app
from purifold.data.load import load, sources
from purifold.defenses.recipe import Recipe
from purifold.discovery import classes, instances
from purifold.networks.base import autoencoder_names, classifier_names
from purifold.papers.library import papers
from purifold.report.catalogue import KINDS, catalogue, data_set

WHOLE = {
    "defenses": [recipe.name for recipe in instances(Recipe).values()],
    "attacks": list(classes(Attack)),
    "classifiers": [*classifier_names(), "gm-vae"],
    "autoencoders": autoencoder_names(),
    "data": list(sources()),
    "papers": list(papers()),
}
HEADS = ("example", "    ", "any ", "some ")


@pytest.mark.parametrize("what", KINDS)
def test_everything_of_a_kind_is_listed_once_with_what_it_is(what):
    lines = [line for line in catalogue(what) if not line.startswith(HEADS)]
    named = dict(line.split(": ", 1) for line in lines)
    assert sorted(named) == sorted(WHOLE[what])
    assert len(lines) == len(named)
    assert all(len(summary) > 10 for summary in named.values())


@pytest.mark.parametrize("what", KINDS)
def test_every_example_is_taken_by_the_command_line(what):
    group = typer.main.get_command(app)
    lines = [line.partition("purifold ")[2] for line in catalogue(what) if "purifold " in line]
    assert lines
    for line in lines:
        command, arguments = group, shlex.split(line)
        while hasattr(command, "commands"):
            command = command.commands[arguments.pop(0)]
        assert command.make_context(command.name, arguments).params


def test_a_data_set_is_told_part_by_part():
    lines = list(data_set("digits", None))
    test = load("digits").test
    (told,) = (line for line in lines if line.startswith("digits/test:"))
    counts = [int((test.labels == label).sum()) for label in range(10)]
    assert told == (
        f"digits/test: 497 images of 8x8x1, {min(counts)} to {max(counts)} a class, hash {test.hash}"
    )
    assert "10 classes: 0, 1, 2, 3, 4, 5, 6, 7, 8, 9" in lines
