from functools import partial

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from torch import nn

from purifold.attacks.base import Goal
from purifold.attacks.gradient import objective_gradient
from purifold.attacks.pgd import PGD
from purifold.autoencoders.mixture_spec import MixtureSpec
from purifold.data.split import Split
from purifold.defenses.base import REJECTED, Defended, Detector
from purifold.defenses.recipe import parse
from purifold.errors import InputError
from purifold.evaluation import evasion
from purifold.evaluation.evasion import WEIGHINGS, evading, provoking, suspicion, weighing
from purifold.evaluation.surface import View, surface
from purifold.losses import cross_entropy
from purifold.randomness import seeded
from purifold.threat import ThreatModel


class Pixel(Detector):
    """Scores one pixel of an image."""

    name = "pixel"

    def __init__(self, place, threshold):
        super().__init__()
        self.place = place
        self.threshold.fill_(threshold)

    def forward(self, images):
        return images.flatten(1)[:, self.place]

    @classmethod
    def example(cls, channels, size):
        return cls(0, 0.5)


class Logits(nn.Module):
    """The first three pixels are the logits, times 20."""

    def forward(self, images):
        return 20 * images.flatten(1)[:, :3]


def rows(*pixels):
    return torch.tensor(pixels)[:, None, None, :]


PIXEL = st.floats(0, 1, width=32)
IMAGE = st.tuples(PIXEL, PIXEL, PIXEL, PIXEL, PIXEL)


@given(
    st.lists(IMAGE, min_size=1, max_size=8),
    st.integers(0, 2),
    st.floats(0, 1, width=32),
    st.floats(0, 1, width=32),
)
def test_margin_is_positive_exactly_where_misclassified_and_accepted(pixels, label, first, second):
    images = rows(*pixels)
    system = Defended(Logits(), detectors=[Pixel(3, first), Pixel(4, second)]).eval()
    logits = evading(Logits(), list(system.detectors), label)(images)
    goal = Goal(torch.full((len(images),), label))
    predicted = system.predict(images)
    plain = goal.margin(Logits()(images))
    clear = (predicted == REJECTED) | (plain.abs() > 1e-5)  # a tie of two logits is nobody's success
    succeeded = (predicted != label) & (predicted != REJECTED)
    assert torch.equal((goal.margin(logits) > 0)[clear], succeeded[clear])


@given(st.lists(IMAGE, min_size=1, max_size=8), st.integers(0, 2), st.floats(0, 1, width=32))
def test_the_margin_of_a_second_look_is_positive_exactly_where_it_is_wrong_and_asked(pixels, label, most):
    images, detector = rows(*pixels), Pixel(3, most)
    goal = Goal(torch.full((len(images),), label))
    plain = goal.margin(Logits()(images))
    margin = goal.margin(provoking(Logits(), [detector], label)(images))
    clear = plain.abs() > 1e-5  # a tie of two logits is nobody's success
    succeeded = (plain > 0) & ~detector.accepts(images)
    assert torch.equal((margin > 0)[clear], succeeded[clear])


def test_an_accepted_image_keeps_the_classifiers_margin_when_that_is_the_smaller():
    logits = evading(Logits(), [Pixel(3, 1.0)], 0)(rows([0.5, 0.51, 0.0, 0.0, 0.0]))
    assert Goal(torch.tensor([0])).margin(logits).item() == pytest.approx(0.2, abs=1e-4)


def test_suspicion_is_of_the_strictest_detector_and_zero_at_its_threshold():
    image = rows([0, 0, 0, 0.5, 0.5])
    assert suspicion(image, [Pixel(3, 0.9), Pixel(4, 0.25)]).item() == pytest.approx(
        torch.asinh(torch.tensor(1.0)).item(), abs=2e-3
    )
    assert suspicion(image, [Pixel(3, 0.5)]).item() == pytest.approx(0, abs=2e-3)


@pytest.mark.parametrize("threshold", [1e-6, 0.0])
def test_cross_entropy_of_a_very_suspicious_image_keeps_a_gradient(threshold):
    image = rows([0.0, 0.0, 0.0, 1.0, 0.0]).requires_grad_()
    loss = nn.functional.cross_entropy(evading(Logits(), [Pixel(3, threshold)], 0)(image), torch.tensor([0]))
    (gradient,) = torch.autograd.grad(loss, image)
    assert gradient.flatten()[3] < 0  # less suspicion raises the loss


def test_a_detector_stops_the_blind_attack_but_not_the_joint_one():
    # Pixels 1 and 2 both fool the classifier; the detector watches pixel 1, so that only pixel 2 passes both.
    class Two(nn.Module):
        def forward(self, images):
            pixels = images.flatten(1)
            return torch.stack(
                [torch.full_like(pixels[:, 0], 0.3), 3 * pixels[:, 1] + 1 * pixels[:, 2]], dim=1
            )

    system = Defended(Two(), detectors=[Pixel(1, 0.05)]).eval()
    images, labels, threat = rows([0.0] * 5), torch.tensor([0]), ThreatModel("linf", 0.4)
    blind = PGD(random_start=False)(system.classifier, images, labels, threat)
    joint = PGD(random_start=False)(evading(Two(), list(system.detectors), 0), images, labels, threat)
    assert system.classifier(blind).argmax(dim=1).item() == 1
    assert system.predict(blind).item() == REJECTED
    assert system.predict(joint).item() == 1


def test_a_label_beyond_the_classes_and_a_detector_without_threshold_are_refused():
    with pytest.raises(InputError, match=r"label must lie in \[0, 3\), got 3"):
        evading(Logits(), [Pixel(3, 0.5)], 3)(rows([0.0] * 5))
    with pytest.raises(InputError, match="detector pixel has no threshold"):
        evading(Logits(), [Pixel(3, torch.inf)], 0)


@pytest.mark.parametrize("label", [0, 1, 2])
@pytest.mark.parametrize("weight", [0.3, 3.0])
def test_a_weighing_adds_the_suspicion_to_the_label_where_an_image_is_rejected(label, weight):
    images = torch.rand(50, 1, 1, 5, generator=torch.Generator().manual_seed(label)).requires_grad_()
    detector, goal = Pixel(3, 0.5), Goal(torch.full((50,), label))
    logits = weighing(Logits(), [detector], label, weight)(images)
    plain, doubt = Logits()(images), suspicion(images, [detector])
    rejected = ~detector.accepts(images)
    torch.testing.assert_close(logits[~rejected], plain[~rejected])
    added = goal.margin(plain) - weight * doubt
    expected = torch.minimum(added, -doubt)
    assert ((expected < added) & rejected).any(), "none that is wrong and rejected"
    torch.testing.assert_close(goal.margin(logits)[rejected], expected[rejected])
    found, wanted = (
        torch.autograd.grad(margins[rejected].sum(), images)[0] for margins in (goal.margin(logits), added)
    )
    torch.testing.assert_close(found, wanted)
    assert 0 < int(rejected.sum()) < 50


@pytest.mark.parametrize("name", WEIGHINGS)
def test_a_weighing_succeeds_exactly_where_the_image_is_wrong_and_accepted(name):
    images = torch.rand(200, 1, 1, 5, generator=torch.Generator().manual_seed(1))
    system = Defended(Logits(), detectors=[Pixel(3, 0.5)]).eval()
    logits = surface(system, "adaptive", view=View(stand_in=name), label=0)(images)
    success = (Logits()(images).argmax(dim=1) != 0) & system.detectors[0].accepts(images)
    assert torch.equal(Goal(torch.zeros(200, dtype=torch.long)).margin(logits) > 0, success)
    assert 0 < int(success.sum()) < 200


def test_every_weighing_is_a_view_of_a_system_with_detectors():
    system = Defended(Logits(), detectors=[Pixel(3, 0.5)]).eval()
    images = rows((0.5, 0.2, 0.1, 0.9, 0.0))
    margins = []
    for name in WEIGHINGS:
        logits = surface(system, "adaptive", view=View(stand_in=name), label=0)(images)
        margins.append(float(Goal(torch.tensor([0])).margin(logits)))
    assert margins == sorted(margins, reverse=True)
    assert len(set(margins)) == len(WEIGHINGS)


@pytest.mark.parametrize("made", [evading, partial(weighing, weight=1.0)])
def test_an_encoder_that_classifier_and_detectors_share_runs_once_a_step(made, monkeypatch):
    pixels = torch.randint(256, (200, 1, 8, 8), generator=torch.Generator().manual_seed(1)).byte()
    clean = Split("random/validation", pixels, torch.zeros(200, dtype=torch.int64), ("a", "b", "c"))
    with seeded(0):
        autoencoder = MixtureSpec().build((1, 8, 8), 3).eval().requires_grad_(False)
    system = parse("gm-vae").build(autoencoder, (), clean)
    encoded = []
    autoencoder.encoder.register_forward_pre_hook(lambda module, given: encoded.append(len(given[0])))
    logits, goal = made(autoencoder, list(system.detectors), 0), Goal(torch.zeros(5, dtype=torch.long))
    images = clean.images()[:5]
    once = [objective_gradient(logits, images, goal, cross_entropy) for _ in range(2)][1]
    assert encoded == [5, 5]
    monkeypatch.setattr(evasion, "_once", lambda images: images)
    for shared, alone in zip(once, objective_gradient(logits, images, goal, cross_entropy), strict=True):
        torch.testing.assert_close(shared, alone)
    assert len(encoded) == 5
