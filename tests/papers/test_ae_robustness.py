"""`ae-robustness` trains, attacks and judges each thing once, and draws what the paper draws."""

from collections import Counter

import pytest

from purifold.engine.plan import needed
from purifold.engine.scale import SCALES
from purifold.engine.step import Resources
from purifold.errors import InputError
from purifold.papers.library import paper


@pytest.fixture(scope="module")
def study():
    return paper("ae-robustness").study(SCALES["smoke"], Resources(), 0)


def made(study):
    return needed(study.steps(), lambda step: False)[1]


def test_nothing_is_made_twice(study):
    kinds = Counter(step.kind for step in made(study))
    assert kinds["train-classifier"] == 1
    # noise 0 and 0.2: AE, DAE (0.2), VAE, DVAE (0.2); noise 0.1: AE and VAE, and with a penalty
    assert kinds["train-autoencoder"] == 2 + 1 + 2 + 1 + 2 + 2
    surfaces = 1 + 10  # the bare classifier, and each autoencoder with sampling off
    sampled = 3 + 2  # VAE, VAE 0.2, DVAE 0.2; VAE 0.1 and CVAE: all at scale 1
    crafts = Counter((step.attack.name, step.draws > 1) for step in made(study) if step.kind == "craft")
    assert crafts == {
        ("cw-l2", False): 2 * surfaces,
        ("i-fgsm", False): 2 * surfaces,
        ("pgd", False): 2 * surfaces,
        ("pgd", True): 2 * sampled,
        ("deepfool", False): surfaces,
    }
    systems = surfaces + 2  # scale 0 of VAE and DVAE is judged too, on images crafted for scale 1 as well
    assert kinds["judge"] == 2 * systems


def test_the_paper_s_attack_is_as_it_says(study):
    attack = next(attack for attack in study.experiments[0].attacks if attack.name == "cw-l2")
    assert (attack.steps, attack.rate, attack.initial_c, attack.confidence) == (100, 0.1, 1.0, 0.0)
    assert (attack.search_steps, attack.search) == (1, "bisect")


def test_the_figures_are_those_of_the_paper(study):
    figures = {exhibit.name: exhibit for exhibit in study.exhibits}
    assert list(figures) == ["fig-1", "fig-2", "fig-3", "fig-4", "fig-5"]
    titles = [panel.title for panel in figures["fig-3"].panels]
    assert titles == ["VAE, digits, noise 0.2", "DVAE, digits, noise 0.2"]
    assert [curve.label for curve in figures["fig-3"].panels[0].curves] == [
        "no autoencoder",
        "scale 0",
        "scale 1",
    ]
    codes = [point for curve in figures["fig-5"].panels[0].curves for point in curve.points]
    assert all(point.shift.craft.draws == 1 for point in codes)
    assert all(point.shift.craft.attack.name == "cw-l2" for point in codes)


def test_one_figure_needs_less(study):
    alone = study.only(["fig-4"])
    assert {step.key for step in made(alone)} < {step.key for step in made(study)}
    assert sum(step.kind == "train-autoencoder" for step in made(alone)) == 4
    with pytest.raises(InputError, match="did you mean 'fig-4'"):
        study.only(["fig4"])
