"""A trial: which attacks calibrate, who is left, and a copy in double precision that changes nothing."""

import pytest
import torch

from purifold.attacks.fgsm import FGSM
from purifold.attacks.pgd import PGD
from purifold.attacks.square import Square
from purifold.defenses.base import Defended
from purifold.evaluation.trial import doubled, steps
from purifold.threat import ThreatModel


@pytest.mark.parametrize(("attack", "count"), [(PGD(steps=7), 7), (FGSM(), None), (Square(queries=5), None)])
def test_attacks_that_count_steps_say_how_many(attack, count):
    assert steps(attack) == count


def test_twice_the_steps_change_nothing_else():
    attack = PGD(steps=7, random_start=False, loss="margin")
    assert doubled(attack) == PGD(steps=14, random_start=False, loss="margin")


def test_attacks_of_many_steps_calibrate_and_pgd_stands_in_for_the_others(brightness, trial):
    system = Defended(brightness)
    assert trial(system, [FGSM(), PGD(steps=3), PGD(steps=5)]).calibrators == {
        "pgd": PGD(steps=3),
        "pgd-2": PGD(steps=5),
    }
    assert trial(system, [FGSM(), Square(queries=5)]).calibrators == {
        "pgd (stands in for fgsm, square)": PGD()
    }


def test_an_image_is_kept_as_far_as_it_lies_from_the_boundary(brightness, trial):
    """The levels are 76, 82 .. 118 and 132, 138 .. 174; the boundary is 127.5."""
    levels = torch.tensor([*range(76, 124, 6), *range(132, 180, 6)])
    tried = trial(Defended(brightness))
    for reach in (5, 20, 40):
        kept = tried.kept(tried.defended, [PGD(steps=3)], ThreatModel("linf", reach / 255))
        assert torch.equal(kept, (levels - 127.5).abs() > reach)


def test_what_one_attack_broke_the_next_does_not_try_and_what_is_not_asked_about_is_not_kept(
    brightness, trial
):
    tried = trial(Defended(brightness))
    among = torch.arange(16) % 2 == 0
    small, large = ThreatModel("linf", 5 / 255), ThreatModel("linf", 60 / 255)
    kept = tried.kept(tried.defended, [PGD(steps=3)], small, among=among)
    assert torch.equal(kept, among & (torch.arange(16) != 8))
    assert not tried.kept(tried.defended, [PGD(steps=3), FGSM()], large).any()
    assert among.sum() == 8


def test_clean_images_that_are_right_are_those_of_the_classifier(brightness, trial):
    tried = trial(Defended(brightness))
    assert tried.right(tried.undefended).all()
    brightness.gain = -10.0
    assert not tried.right(tried.undefended).any()


def test_the_precise_copy_computes_in_float64_and_leaves_the_system_as_it_is(trial):
    layer = torch.nn.Sequential(torch.nn.Flatten(), torch.nn.Linear(16, 2))
    tried = trial(Defended(layer))
    images = tried.split.images()
    precise = tried.precise(images.double())
    assert precise.dtype == torch.float64
    torch.testing.assert_close(precise.float(), tried.defended(images), rtol=1e-4, atol=1e-5)
    assert layer[1].weight.dtype == torch.float32
