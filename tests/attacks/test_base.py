from dataclasses import dataclass, fields
from typing import ClassVar

import pytest
import torch

from purifold.attacks.base import Attack, BudgetError, Goal, MinimumNormAttack
from purifold.errors import InputError
from purifold.options import counts
from purifold.threat import ThreatModel

LABELS = torch.tensor([0, 1, 2])
LOGITS = torch.tensor([[3.0, 1.0, 0.0], [3.0, 1.0, 0.0], [0.0, 1.0, 1.5]])


def model(images):
    return images.flatten(1)[:, :3]


@dataclass(frozen=True, kw_only=True)
class Brighten(Attack):
    """Adds a constant, whatever the budget."""

    name: ClassVar[str] = "brighten"
    norms: ClassVar[tuple[str, ...]] = ("linf",)
    targetable: ClassVar[bool] = False

    amount: float = 0.1

    def perturb(self, model, images, goal, threat, noise):
        model(images)
        return images + self.amount


@dataclass(frozen=True, kw_only=True)
class Nearest(MinimumNormAttack):
    """Moves image i by i tenths in one pixel."""

    name: ClassVar[str] = "nearest"
    norms: ClassVar[tuple[str, ...]] = ("l2", "linf")
    targetable: ClassVar[bool] = True

    def minimize(self, model, images, goal, threat, noise):
        model(images)
        moved = images.clone()
        moved[:, 0, 0, 0] += torch.arange(len(images)) / 10
        return moved


def images(count=3):
    return torch.rand(count, 1, 2, 2, generator=torch.Generator().manual_seed(1)) / 2


def test_goal_untargeted_is_any_class_but_the_label():
    goal = Goal(LABELS)
    assert goal.reached(LOGITS).tolist() == [False, True, False]
    assert goal.margin(LOGITS).tolist() == [-2.0, 2.0, -0.5]


def test_goal_targeted_is_exactly_the_target():
    goal = Goal(LABELS, torch.tensor([1, 0, 1]))
    assert goal.reached(LOGITS).tolist() == [False, True, False]
    assert goal.margin(LOGITS).tolist() == [-2.0, 2.0, -0.5]
    assert goal.select(torch.tensor([2, 0])).targets.tolist() == [1, 1]
    assert goal.select(torch.tensor([2, 0])).labels.tolist() == [2, 0]


def test_attack_that_leaves_its_budget_is_an_error_whatever_its_batch():
    threat = ThreatModel("linf", 0.05)
    for batch_size in (1, 2, 256):
        with pytest.raises(BudgetError, match=r"Brighten\(targeted=False, amount=0.1\) left linf 0.05 on"):
            Brighten()(model, images(), LABELS, threat, batch_size=batch_size)
    with pytest.raises(BudgetError):
        Brighten(amount=torch.nan)(model, images(), LABELS, threat)
    with pytest.raises(BudgetError):
        Brighten(amount=-0.6)(model, images(), LABELS, ThreatModel("linf", 1.0))


def test_minimum_norm_attack_returns_the_clean_image_beyond_the_budget():
    moved = Nearest()(model, images(), LABELS, ThreatModel("l2", 0.15))
    torch.testing.assert_close((moved - images())[:, 0, 0, 0], torch.tensor([0.0, 0.1, 0.0]))


def test_refuses_a_norm_or_targets_that_the_attack_lacks():
    with pytest.raises(InputError, match="brighten works in linf, got norm 'l2'"):
        Brighten()(model, images(), LABELS, ThreatModel("l2", 1.0))
    with pytest.raises(InputError, match="brighten has no targeted form; leave targets and targeted out"):
        Brighten()(model, images(), LABELS, ThreatModel("linf", 1.0), LABELS)


@pytest.mark.parametrize("batch_size", [0, -1])
def test_refuses_a_batch_size_below_1(batch_size):
    with pytest.raises(InputError, match="batch_size must be 1 or above"):
        Brighten()(model, images(), LABELS, ThreatModel("linf", 0.2), batch_size=batch_size)


def test_refuses_what_is_no_logits():
    threat = ThreatModel("linf", 0.2)
    for wrong, message in (
        (lambda batch: batch, r"logits of shape \(3, classes\), got \(3, 1, 2, 2\)"),
        (lambda batch: batch.flatten(1)[:1], r"got \(1, 4\)"),
        (lambda batch: model(batch) * torch.nan, "got NaN"),
    ):
        with pytest.raises(InputError, match=message):
            Brighten()(wrong, images(), LABELS, threat)


def test_refuses_labels_that_the_model_has_no_class_for_before_they_index_anything():
    threat = ThreatModel("linf", 0.2)
    with pytest.raises(InputError, match=r"labels must lie in \[0, 3\), got \[0, 3\]"):
        Brighten()(model, images(), torch.tensor([0, 1, 3]), threat, batch_size=1)
    with pytest.raises(InputError, match=r"targets must lie in \[0, 3\)"):
        Nearest()(model, images(), LABELS, threat, LABELS + 5)


@pytest.mark.parametrize("dtype", [torch.int16, torch.int32, torch.int64])
def test_takes_labels_of_any_integer_type(dtype):
    seen = []

    @dataclass(frozen=True, kw_only=True)
    class Watching(Attack):
        name: ClassVar[str] = "watching"
        norms: ClassVar[tuple[str, ...]] = ("linf",)
        targetable: ClassVar[bool] = True

        def perturb(self, model, images, goal, threat, noise):
            seen.append(goal.margin(model(images)))
            return images

    Watching()(model, images(), LABELS.to(dtype), ThreatModel("linf", 0.2))
    torch.testing.assert_close(seen[0], Goal(LABELS).margin(model(images())))


def test_never_shows_an_attack_more_than_batch_size_images():
    sizes = []

    def counting(batch):
        sizes.append(len(batch))
        return model(batch)

    Brighten()(
        counting, images(10), torch.zeros(10, dtype=torch.long), ThreatModel("linf", 0.2), batch_size=4
    )
    assert sizes == [4, 4, 2]


@dataclass(frozen=True, kw_only=True)
class Watch(Attack):
    """Keeps the targets that it was given."""

    name: ClassVar[str] = "watch"
    norms: ClassVar[tuple[str, ...]] = ("linf",)
    targetable: ClassVar[bool] = True
    seen: ClassVar[list[torch.Tensor]] = []

    def perturb(self, model, images, goal, threat, noise):
        self.seen.append(goal.targets)
        return images


def watched(many, labels, **settings):
    Watch.seen.clear()
    Watch(targeted=True)(model, many, labels, ThreatModel("linf", 0.1), **settings)
    return torch.cat(Watch.seen)


def test_a_targeted_attack_draws_each_wrong_class_alike_often_and_never_the_label():
    labels = torch.arange(3).repeat(1000)
    drawn = watched(images(3000), labels)
    for label in range(3):
        counts = drawn[labels == label].bincount(minlength=3).tolist()
        assert counts[label] == 0
        assert sum(counts) == 1000
        # 500 each; 5 standard deviations of a fair coin thrown 1000 times are 79
        assert all(abs(count - 500) < 79 for place, count in enumerate(counts) if place != label)


def test_a_drawn_target_belongs_to_the_image_and_the_seed():
    many, labels = images(200), torch.arange(200) % 3
    drawn = watched(many, labels, batch_size=64)
    assert watched(many.flip(0), labels.flip(0), batch_size=7).flip(0).equal(drawn)
    assert not watched(many, labels, seed=1).equal(drawn)


def test_given_targets_come_before_drawn_ones():
    wanted = torch.tensor([2, 0, 1])
    assert watched(images(), LABELS, targets=wanted).equal(wanted)


def test_an_attack_without_a_targeted_form_refuses_to_draw_targets():
    with pytest.raises(InputError, match="brighten has no targeted form"):
        Brighten(targeted=True)(model, images(), LABELS, ThreatModel("linf", 0.5))


def test_an_untargeted_attack_hashes_as_it_did_before_there_were_targets():
    assert counts(next(entry for entry in fields(Watch) if entry.name == "targeted"), Watch()) is False
    assert counts(next(entry for entry in fields(Watch) if entry.name == "targeted"), Watch(targeted=True))
