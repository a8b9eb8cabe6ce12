import pytest
import torch
from torch import nn

from purifold.defenses.base import SECOND_LOOK, Defended, Detector, Purifier
from purifold.defenses.reconstruction import Reconstruction
from purifold.errors import InputError
from purifold.evaluation.surface import View, surface
from purifold.randomness import seeded


class Halving(Purifier):
    """Halves the image; one noise for all its pixels when `stochastic`, rounds when not `differentiable`."""

    name = "halving"

    def __init__(self, stochastic=False, differentiable=True):
        super().__init__()
        self.stochastic, self.differentiable = stochastic, differentiable

    def forward(self, images):
        halved = images / 2
        if self.stochastic:
            halved = halved + torch.randn(len(images), 1, 1, 1)
        return halved if self.differentiable else halved.mul(4).round().div(4)

    def surrogate(self, images):
        return images / 2

    def stand_ins(self, classifier):
        return {"third": lambda images: classifier(images / 3)}

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


@pytest.fixture
def images():
    return torch.rand(3, 1, 4, 4, generator=torch.Generator().manual_seed(1))


def slope(model, images):
    """Gradient of class 1's logit: gain / 16 at each pixel of the bare classifier, half of that halved."""
    images = images.clone().requires_grad_()
    return torch.autograd.grad(model(images)[:, 1].sum(), images)[0]


def test_oblivious_sees_the_bare_classifier_and_transfer_the_substitute(brightness, images):
    system, other = Defended(brightness, Halving()).eval(), nn.Identity().eval()
    assert surface(system, "oblivious") is brightness
    assert surface(system, "transfer", substitute=other) is other


def test_adaptive_has_the_exact_gradient_of_a_differentiable_system(brightness, images):
    model = surface(Defended(brightness, Halving()).eval(), "adaptive")
    assert torch.equal(model(images), brightness(images / 2))
    assert torch.allclose(slope(model, images), torch.full_like(images, 10 / 16 / 2))


def test_adaptive_is_deployed_forward_and_surrogate_backward_where_not_differentiable(brightness, images):
    purifier = Halving(differentiable=False)
    model = surface(Defended(brightness, purifier).eval(), "adaptive")
    assert torch.equal(model(images), brightness(purifier(images)))
    assert not torch.allclose(model(images), brightness(images / 2))
    assert torch.allclose(slope(model, images), torch.full_like(images, 10 / 16 / 2))


@pytest.mark.parametrize("differentiable", [True, False])
def test_one_draw_of_a_stochastic_system_turns_sampling_off(brightness, images, differentiable):
    model = surface(Defended(brightness, Halving(True, differentiable)).eval(), "adaptive")
    assert torch.equal(model(images), brightness(images / 2))


@pytest.mark.parametrize("differentiable", [True, False])
def test_more_draws_average_the_deployed_system(brightness, images, differentiable):
    model = surface(
        Defended(brightness, Halving(True, differentiable)).eval(), "adaptive", view=View(draws=400)
    )
    with torch.random.fork_rng():
        torch.manual_seed(0)
        single = torch.stack([model(images)[:, 1] for _ in range(20)])
    # noise of standard deviation 1, gain 10, mean of 400: 0.5, and the mean over 20 calls 0.11
    assert single.std(dim=0).mean().item() == pytest.approx(0.5, rel=0.3)
    assert (single.mean(dim=0) - brightness(images / 2)[:, 1]).abs().max() < 0.5
    assert torch.allclose(slope(model, images), torch.full_like(images, 10 / 16 / 2), atol=1e-5)


@pytest.mark.parametrize("knowledge", ["adaptive", "scores"])
def test_draws_share_one_encoding(brightness, knowledge):
    images = torch.rand(4, 1, 12, 12, generator=torch.Generator().manual_seed(1)).requires_grad_()
    purifier, seen = Reconstruction.example(1, 12), []
    purifier.autoencoder.encoder.register_forward_hook(lambda *found: seen.append(len(found[-1])))
    model = surface(Defended(brightness, purifier).eval(), knowledge, view=View(draws=20))
    with seeded(0):
        logits = model(images)
    assert seen == [4]
    with seeded(0):  # 16 numbers a draw, which torch's generator gives alike at once and in turn
        looped = sum(brightness(purifier(images)) for _ in range(20)) / 20
    assert torch.allclose(logits, looped, atol=1e-6)


@pytest.mark.parametrize("stochastic", [True, False])
def test_a_stand_in_is_attacked_in_place_of_the_system(brightness, images, stochastic):
    system = Defended(brightness, Halving(stochastic)).eval()
    model = surface(system, "adaptive", view=View(stand_in="third"))
    assert torch.equal(model(images), brightness(images / 3))
    assert torch.allclose(slope(model, images), torch.full_like(images, 10 / 16 / 3))


def test_a_stand_in_must_evade_the_detectors_too(brightness, images):
    detector = Bright()
    detector.threshold.fill_(0.01)
    system = Defended(brightness, Halving(), [detector]).eval()
    logits = surface(system, "adaptive", view=View(stand_in="third"), label=0)(images)
    assert (logits.argmax(dim=1) == 0).all()  # rejected, so not a success


def test_a_view_is_named_by_what_is_looked_at():
    names = [View(), View(draws=20), View(draws=0), View(stand_in="soft")]
    assert [view.suffix for view in names] == ["", "+eot20", "+surrogate", "+soft"]


def test_scores_are_the_deployed_path_without_a_gradient(brightness, images):
    purifier = Halving(differentiable=False)
    answer = surface(Defended(brightness, purifier).eval(), "scores")(images.requires_grad_())
    assert torch.equal(answer, brightness(purifier(images)))
    assert not answer.requires_grad


def test_scores_of_a_stochastic_system_are_drawn_afresh_at_every_query(brightness, images):
    answer = surface(Defended(brightness, Halving(True)).eval(), "scores")
    assert not torch.allclose(answer(images), answer(images))


def test_adaptive_and_scores_see_the_detectors_and_the_others_do_not(brightness, images):
    detector = Bright()
    detector.threshold.fill_(0.01)
    system = Defended(brightness, detectors=[detector]).eval()
    for knowledge in ("adaptive", "scores"):
        logits = surface(system, knowledge, label=0)(images)
        assert (logits.argmax(dim=1) == 0).all()  # rejected, so not a success
    assert surface(system, "oblivious") is brightness


@pytest.mark.parametrize(
    ("knowledge", "given", "message"),
    [
        ("transfer", {}, "substitute must be a classifier"),
        ("oblivious", {"substitute": nn.Identity().eval()}, "substitute must be left out"),
        ("transfer", {"substitute": nn.Identity()}, "substitute is in training mode"),
        ("adaptive", {"view": View(draws=-1)}, "draws must be 0 or above"),
        ("adaptive", {"view": View(stand_in="best")}, "unknown stand-in 'best'"),
        ("adaptive", {"view": View(stand_in=SECOND_LOOK), "label": 0}, "second-look needs a system with"),
        ("adaptive", {}, "label must be the class"),
    ],
)
def test_what_cannot_be_honoured_is_refused(brightness, knowledge, given, message):
    detector = Bright()
    detector.threshold.fill_(0.5)
    system = Defended(brightness, detectors=[detector]).eval()
    with pytest.raises(InputError, match=message):
        surface(system, knowledge, **given)


def test_a_system_in_training_mode_is_refused_by_name(brightness):
    with pytest.raises(InputError, match="defended is in training mode"):
        surface(Defended(brightness), "oblivious")
