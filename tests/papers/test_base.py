"""Studies: what several exhibits need is in them once, and one exhibit needs no more than its own."""

import pytest

from purifold.engine.steps.codes import Codes
from purifold.errors import InputError
from purifold.papers.base import Paper, Study
from purifold.papers.claim import Claim, Contrast, Ratio
from purifold.papers.exhibit import AccuracyFigure, Curve, Panel, UnitsAt, UnitsFigure, UnitsPanel


@pytest.fixture(scope="module")
def systems(composed):
    return composed(defenses=("none", "ae", "vae"), attacks=("pgd",), epsilons=(0.1,))


def figure(name, *experiments):
    curves = tuple(Curve(label=experiment.name, experiment=experiment) for experiment in experiments)
    return AccuracyFigure(
        name=name, caption="c", protocol="pgd", panels=(Panel(title="", curves=curves),), columns=1
    )


def units(name, codes):
    panel = UnitsPanel(title="", curves=(("ae", (UnitsAt(latent=2, codes=codes),)),))
    return UnitsFigure(name=name, caption="c", panels=(panel,))


@pytest.fixture(scope="module")
def study(systems):
    bare, plain, variational = systems
    first, second = (Codes(autoencoder=found.system.autoencoders[0]) for found in (plain, variational))
    contrast = Contrast(where="", first=(variational,), second=(plain,), expected="more", epsilons=(0.1,))
    ratio = Ratio(where="", quantity="diameter", first=second, second=first, least=1.0, most=2.0)
    claim = Claim(text="", protocol="pgd", evidence=(contrast, ratio))
    return Study.of([figure("a", bare, plain), figure("b", plain), units("c", first)], [claim])


def test_what_exhibits_and_claims_share_is_there_once_in_their_order(study, systems):
    bare, plain, variational = systems
    assert study.experiments == (bare, plain, variational)


def test_the_steps_are_those_of_the_experiments_the_measurements_and_the_comparisons(study, systems):
    first, second = (Codes(autoencoder=found.system.autoencoders[0]) for found in systems[1:])
    expected = [step for experiment in systems for step in experiment.steps()] + [first, second]
    assert set(study.steps()) == set(expected)
    assert study.compared() == (second, first)


def test_one_exhibit_alone_leaves_claims_and_the_rest_out_and_no_name_leaves_all(study, systems):
    alone = study.only(["b"])
    assert [exhibit.name for exhibit in alone.exhibits] == ["b"]
    assert (alone.experiments, alone.claims) == ((systems[1],), ())
    assert [exhibit.name for exhibit in study.only(["c", "a"]).exhibits] == ["a", "c"]
    assert study.only([]) is study


def test_names_of_no_exhibit_are_refused(study, systems):
    with pytest.raises(InputError, match="unknown figure or table at this scale 'd'"):
        study.only(["a", "d"])
    with pytest.raises(InputError, match="no figures or tables of its own"):
        Study(experiments=tuple(systems)).only(["a"])


def test_a_paper_without_a_file_of_numbers_prints_none():
    assert (
        Paper(name="unheard-of", title="", summary="", study=lambda *_: Study(experiments=())).printed() == ()
    )
