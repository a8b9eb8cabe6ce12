from dataclasses import dataclass
from typing import ClassVar

import pytest
import torch

from purifold.attacks.base import Attack
from purifold.attacks.pgd import PGD
from purifold.attacks.square import Square
from purifold.defenses.base import REJECTED, Defended, Detector, Purifier, Reclassifier
from purifold.errors import InputError
from purifold.evaluation.evaluate import craft, craft_on, evaluate, numbered
from purifold.evaluation.evasion import WEIGHINGS
from purifold.evaluation.intervals import Proportion
from purifold.evaluation.surface import View
from purifold.threat import ThreatModel

LINF = ThreatModel("linf", 0.1)


class Rounding(Purifier):
    """Sixteen levels: no gradient of its own."""

    name = "rounding"
    stochastic = False
    differentiable = False

    def forward(self, images):
        return images.mul(15).round().div(15)

    def surrogate(self, images):
        return images

    @classmethod
    def example(cls, channels, size):
        return cls()


class Noise(Purifier):
    name = "noise"
    stochastic = True
    differentiable = True

    def forward(self, images):
        return images + 0.02 * torch.randn_like(images)

    def surrogate(self, images):
        return images

    @classmethod
    def example(cls, channels, size):
        return cls()


class Bright(Detector):
    name = "bright"

    def forward(self, images):
        return images.flatten(1).mean(dim=1)

    @classmethod
    def example(cls, channels, size):
        return cls()


class Darker(Reclassifier):
    """Class 1 for images darker than 77."""

    name = "darker"

    def forward(self, images):
        return self.scores(images).argmax(dim=1)

    def scores(self, images):
        excess = 10 * (images.flatten(1).mean(dim=1) - 77 / 255)
        return torch.stack([excess, -excess], dim=1)


@dataclass(frozen=True, kw_only=True)
class Recorded(Attack):
    """Changes nothing; keeps the labels of each batch it was given and whether the model's answers repeat."""

    name: ClassVar[str] = "recorded"
    norms: ClassVar = ("linf",)
    targetable: ClassVar[bool] = False
    log: list

    def perturb(self, model, images, goal, threat, noise):
        self.log.append((goal.labels.tolist(), torch.equal(model(images), model(images))))
        return images


def test_robust_accuracy_of_a_linear_classifier_is_that_of_its_margins(brightness, levels):
    # distances to the boundary 127.5/255, in L-infinity: 0.137, 0.0961, 0.0098, 0.0882, 0.11
    split = levels(92, 103, 125, 150, 156)
    found = evaluate(Defended(brightness).eval(), split, [PGD()], LINF, "adaptive", seed=0)
    assert found.robust().tolist() == [True, False, False, False, True]
    assert found.accuracy() == Proportion(5, 5)
    assert found.threat == LINF


def test_straight_through_breaks_a_purifier_whose_own_gradient_is_zero(brightness, levels):
    # 110/255 rounds to 6/15 and 0.1 more to 8/15; without a gradient an attack would leave 6/15
    split = levels(110, 118)
    system = Defended(brightness, Rounding()).eval()
    found = evaluate(system, split, [PGD(random_start=False)], LINF, "adaptive", seed=0)
    assert found.robust_accuracy() == Proportion(0, 2)


def test_transfer_attacks_the_substitute_and_judges_the_system(brightness, levels):
    class Reversed(torch.nn.Module):
        def forward(self, images):
            return brightness(images).flip(1)

    split = levels(120, 135)
    found = evaluate(
        Defended(brightness).eval(), split, [PGD()], LINF, "transfer", seed=0, substitute=Reversed().eval()
    )
    # the reversed classifier is wrong from the start and pushed further: away from the real boundary
    assert found.robust().all()


def test_a_stochastic_system_meets_both_surfaces_by_gradient_and_one_by_queries(brightness, levels):
    system = Defended(brightness, Noise()).eval()
    log = []
    found = evaluate(
        system, levels(100), [Recorded(log=log), Square(queries=5)], LINF, "adaptive", seed=0, eot=3
    )
    assert list(found.attacked) == ["recorded", "recorded+eot3", "square+eot3"]
    assert [repeats for _, repeats in log] == [True, False]  # sampling off; averaged draws
    assert found.clean.shape == (1, 10)


@pytest.mark.parametrize(("draws", "attacked_at_once"), [(20, [2, 2, 1]), (1, [5]), (100, [1] * 5)])
def test_an_image_that_is_averaged_over_draws_counts_once_a_draw(brightness, levels, draws, attacked_at_once):
    system, log = Defended(brightness, Noise()).eval(), []
    view, split = View(draws=draws), levels(*range(5))
    craft_on(system, split, Recorded(log=log), LINF, "adaptive", view=view, seed=0, batch_size=40)
    assert [len(labels) for labels, _ in log] == attacked_at_once


def test_an_oblivious_attacker_meets_one_surface_and_a_deterministic_system_one_draw(brightness, levels):
    for system in (Defended(brightness, Noise()), Defended(brightness)):
        found = evaluate(system.eval(), levels(100), [PGD(steps=1)], LINF, "oblivious", seed=0)
        assert list(found.attacked) == ["pgd"]
    assert found.clean.shape == (1, 1)
    assert evaluate(system, levels(1), [], LINF, "oblivious", seed=0, draws=4).clean.shape == (1, 4)


def test_detectors_are_evaded_a_class_at_a_time_in_the_order_of_the_split(brightness, levels):
    detector = Bright()
    detector.threshold.fill_(0.99)
    system = Defended(brightness, detectors=[detector]).eval()
    split, log = levels(10, 200, 20, 210), []
    adversarial = craft(system, split, [Recorded(log=log)], LINF, "adaptive", seed=0)
    assert [labels for labels, _ in log] == [[0, 0], [1, 1]] * (1 + len(WEIGHINGS))
    assert torch.equal(adversarial["recorded"], split.images())
    log.clear()
    craft(system, split, [Recorded(log=log)], LINF, "oblivious", seed=0)
    assert [labels for labels, _ in log] == [[0, 1, 0, 1]]


def test_a_reclassifier_is_attacked_beside(brightness, levels):
    # 80 is rejected and then rightly taken for class 0, what is darker than 77 but not accepted for class 1;
    # who fools the classifier instead goes up to 105, which is still class 0
    detector = Bright()
    detector.threshold.fill_(60 / 255)
    system = Defended(brightness, None, [detector], Darker()).eval()
    found = evaluate(system, levels(80), [PGD()], LINF, "adaptive", seed=0)
    assert found.clean.item() == 0
    names = ["pgd", *(f"pgd+{name}" for name in WEIGHINGS), "pgd+second-look"]
    assert list(found.attacked) == names
    assert found.robust("pgd").all()
    assert not found.robust("pgd+second-look").any()


def test_a_reclassifier_that_nothing_is_rejected_for_is_not_attacked(brightness, levels):
    system = Defended(brightness, reclassifier=Darker()).eval()
    found = evaluate(system, levels(80), [PGD(steps=1)], LINF, "adaptive", seed=0)
    assert list(found.attacked) == ["pgd"]


def test_an_attack_must_pass_the_detector_to_count(brightness, levels):
    # 120 crosses the boundary at 127.5 and stays below the detector at 130; 140 has to fall below 127.5;
    # with the detector at 126 nothing that looks like class 1 passes it
    split = levels(120)
    for threshold, robust in ((130 / 255, False), (126 / 255, True)):
        detector = Bright()
        detector.threshold.fill_(threshold)
        system = Defended(brightness, detectors=[detector]).eval()
        blind = evaluate(system, split, [PGD()], LINF, "oblivious", seed=0)
        assert blind.attacked["pgd"].predictions.item() == REJECTED
        for knowledge, attack in (("adaptive", PGD()), ("scores", Square(queries=300))):
            aware = evaluate(system, split, [attack], LINF, knowledge, seed=0)
            assert aware.robust().item() is robust


def test_an_attack_that_needs_gradients_is_refused_at_scores_knowledge(brightness, levels):
    with pytest.raises(InputError, match="pgd needs gradients"):
        evaluate(Defended(brightness).eval(), levels(1), [PGD()], LINF, "scores", seed=0)


def test_two_attacks_of_one_name_are_numbered():
    attacks = [PGD(), Square(), PGD(steps=3), PGD(steps=4)]
    assert numbered(attacks) == dict(zip(["pgd", "square", "pgd-2", "pgd-3"], attacks, strict=True))


def test_a_system_in_training_mode_is_refused_by_name(brightness, levels):
    with pytest.raises(InputError, match="defended is in training mode"):
        evaluate(Defended(brightness), levels(1), [PGD()], LINF, "oblivious", seed=0)


def test_the_same_seed_gives_the_same_outcome(brightness, levels):
    system = Defended(brightness, Noise()).eval()
    first, again = (
        evaluate(system, levels(110, 115), [PGD(steps=3)], LINF, "adaptive", seed=5, eot=2) for _ in range(2)
    )
    for name, attacked in first.attacked.items():
        assert torch.equal(attacked.predictions, again.attacked[name].predictions)
        assert torch.equal(attacked.l2, again.attacked[name].l2)


def test_a_system_without_a_gradient_is_also_attacked_through_its_surrogate_alone(brightness, levels):
    split, attack = levels(140, 150, 110), PGD(steps=5)
    system = Defended(brightness, Rounding()).eval()
    adaptive = craft(system, split, [attack], LINF, "adaptive", seed=0)
    assert list(adaptive) == ["pgd", "pgd+surrogate"]
    # the surrogate is the identity, so that the attacker works on the bare classifier
    oblivious = craft(system, split, [attack], LINF, "oblivious", seed=0)
    assert torch.equal(adaptive["pgd+surrogate"], oblivious["pgd"])
    both = evaluate(system, split, [attack], LINF, "adaptive", seed=0).robust()
    alone = evaluate(system, split, [attack], LINF, "oblivious", seed=0).robust()
    assert not (both & ~alone).any()
