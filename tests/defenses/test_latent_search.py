"""The reclassifier: finds the latent that a decoded image came from, and refuses what none decodes to."""

import pytest
import torch
from torch import nn

from purifold.attacks.base import Goal
from purifold.attacks.pgd import PGD
from purifold.autoencoders.mixture_spec import MixtureSpec
from purifold.defenses import latent_search
from purifold.defenses.base import REJECTED, SECOND_LOOK, Defended
from purifold.defenses.latent_distance import LatentDistance
from purifold.defenses.latent_search import FEWEST, LatentSearch
from purifold.defenses.reconstruction_error import ReconstructionError
from purifold.evaluation.surface import View, surface
from purifold.randomness import seeded
from purifold.threat import ThreatModel

SHAPE, CLASSES = (1, 8, 8), 4


@pytest.fixture
def autoencoder():
    """Untrained, with a decoder whose images differ more than those of untrained weights, and matter more."""
    with seeded(0):
        found = MixtureSpec().build(SHAPE, CLASSES).eval().requires_grad_(False)
    with torch.no_grad():
        for weight in found.decoder.parameters():
            weight.mul_(1.7)
    found.prior_weight = 0.01
    return found


@pytest.fixture
def hidden(autoencoder):
    """Latents near the means, their classes, and what they decode to."""
    labels = torch.arange(CLASSES).repeat(3)
    with seeded(1):
        latent = autoencoder.means[labels] + 0.1 * torch.randn(len(labels), CLASSES)
    return latent, labels, autoencoder.decode(latent)


def test_what_the_decoder_made_is_found_again(autoencoder, hidden):
    _, labels, images = hidden
    search = LatentSearch(autoencoder, steps=150, objective="distance")
    found, errors = search.search(images)
    torch.testing.assert_close(autoencoder.decode(found), images, rtol=0, atol=0.03)
    errors_there = (autoencoder.decode(found) - images).square().flatten(1).sum(dim=1)
    torch.testing.assert_close(errors, errors_there, rtol=1e-3, atol=1e-6)
    assert (search(images) == labels).all()
    assert (LatentSearch(autoencoder, steps=150)(images) == labels).all()


def test_more_steps_never_find_worse(autoencoder, hidden):
    images = hidden[2]
    errors = [LatentSearch(autoencoder, steps=steps).search(images)[1] for steps in (1, 10, 100)]
    starts = autoencoder.decode(autoencoder.means)
    at_means = (starts[None] - images[:, None]).square().flatten(2).sum(dim=2).amin(dim=1)
    torch.testing.assert_close(errors[0], at_means)
    assert (errors[1] <= errors[0]).all()
    assert (errors[2] < errors[1]).all()


def test_an_image_does_not_depend_on_its_neighbours(autoencoder, hidden, monkeypatch):
    images = hidden[2]
    whole = LatentSearch(autoencoder, steps=60).search(images)
    monkeypatch.setattr(latent_search, "ROWS", 1)
    alone = LatentSearch(autoencoder, steps=60).search(images)
    for found, expected in zip(alone, whole, strict=True):
        torch.testing.assert_close(found, expected, rtol=1e-3, atol=1e-4)


def test_images_that_do_not_get_on_are_let_go(autoencoder, hidden, monkeypatch):
    decoded = []
    autoencoder.decoder.register_forward_pre_hook(lambda module, given: decoded.append(len(given[0])))
    images = torch.cat([hidden[2][:1], autoencoder.decode(autoencoder.means[:1])])
    decoded.clear()
    LatentSearch(autoencoder, steps=200).search(images)
    assert decoded[0] == 2 * CLASSES
    assert FEWEST in decoded
    assert len(decoded) < 200


def test_a_start_that_costs_most_and_falls_lowest_is_not_given_up(autoencoder, monkeypatch):
    """Of starts at 0 to 3 the last costs 5 and falls to 0 within 0.4, the others stay at 1."""
    autoencoder.means = torch.arange(float(CLASSES))[:, None]
    search = LatentSearch(autoencoder)

    def costs(latent, images):
        last = 5 * (latent - (CLASSES - 0.6)).abs() / 0.4
        return torch.where(latent > CLASSES - 1.5, last, 1 + 0 * latent)[:, :, 0]

    monkeypatch.setattr(search, "_costs", costs)
    latent, least = search.search(torch.zeros(2, *SHAPE))
    assert (latent > CLASSES - 1).all()
    assert (least < 0.5).all()


def test_beyond_a_threshold_it_refuses_and_without_one_it_answers(autoencoder, hidden):
    _, labels, images = hidden
    noise = torch.rand(5, *SHAPE, generator=torch.Generator().manual_seed(3))
    mixed = torch.cat([images, noise])
    latent = LatentDistance(autoencoder, 0.01 * torch.eye(CLASSES)).eval()
    output = ReconstructionError(autoencoder).eval()
    latent.threshold.fill_(100.0)
    output.threshold.fill_(1e-3)
    refusing = LatentSearch(autoencoder, steps=150, latent=latent, output=output)(mixed)
    assert (refusing[: len(images)] == labels).all()
    assert (refusing[len(images) :] == REJECTED).all()
    assert (LatentSearch(autoencoder, steps=5)(mixed) != REJECTED).all()
    search = LatentSearch(autoencoder, steps=5, latent=latent)
    far = latent.own(search.search(mixed)[0])
    latent.threshold.copy_(far.median())
    assert ((search(mixed) == REJECTED) == (far > far.median())).all()


def test_its_output_threshold_is_one_of_mean_squares_whatever_it_descends_on(autoencoder):
    noise = torch.rand(5, *SHAPE, generator=torch.Generator().manual_seed(3))
    latent, costs = LatentSearch(autoencoder, steps=5).search(noise)
    errors = (autoencoder.decode(latent) - noise).square().flatten(1).mean(dim=1)
    assert errors.max() < costs.min()
    output = ReconstructionError(autoencoder).eval()
    output.threshold.copy_(1.01 * errors.max())
    assert (LatentSearch(autoencoder, steps=5, output=output)(noise) != REJECTED).all()
    output.threshold.copy_(0.99 * errors.min())
    assert (LatentSearch(autoencoder, steps=5, output=output)(noise) == REJECTED).all()


def test_a_defended_system_asks_it_about_rejected_images_alone(autoencoder, hidden):
    _, labels, images = hidden
    output = ReconstructionError(autoencoder).eval()
    output.threshold.fill_(0.0)
    system = Defended(autoencoder, None, (output,), LatentSearch(autoencoder, steps=150)).eval()
    assert (autoencoder(images).argmax(dim=1) != labels).any()
    assert (system.predict(images) == labels).all()
    output.threshold.fill_(10.0)
    assert (system.predict(images) == autoencoder(images).argmax(dim=1)).all()


@pytest.mark.parametrize("grad", [True, False])
def test_gradients_of_the_caller_are_left_alone(autoencoder, hidden, grad):
    with torch.set_grad_enabled(grad):
        latent, errors = LatentSearch(autoencoder, steps=3).search(hidden[2])
        assert torch.is_grad_enabled() == grad
    assert not latent.requires_grad
    assert not errors.requires_grad


class Tilted(nn.Module):
    """A decoder whose images are a linear map of the latent: the nearest one is a projection."""

    shape, latent = SHAPE, CLASSES

    def __init__(self):
        super().__init__()
        drawn = torch.randn(64, CLASSES, generator=torch.Generator().manual_seed(4))
        self.register_buffer("basis", torch.linalg.qr(drawn).Q)

    def forward(self, latent):
        return 0.5 + (latent @ self.basis.T).unflatten(1, SHAPE)


@pytest.mark.parametrize("weight", [None, 0.5, 3.0])
def test_it_ends_where_image_and_nearest_mean_balance(autoencoder, hidden, weight):
    autoencoder.decoder, means = Tilted(), autoencoder.means
    autoencoder.prior_weight = weight or 3.0
    codes = (hidden[2] - 0.5).flatten(1) @ autoencoder.decoder.basis
    labels = torch.cdist(codes, means).argmin(dim=1)
    images = autoencoder.decode(codes)
    objective = "distance" if weight is None else "loss"
    latent, costs = LatentSearch(autoencoder, steps=400, objective=objective).search(images)
    share = 0.0 if weight is None else weight / (1 + weight)
    torch.testing.assert_close(latent, codes.lerp(means[labels], share), rtol=0, atol=0.01)
    expected = share * (codes - means[labels]).square().sum(dim=1)
    torch.testing.assert_close(costs, expected, rtol=0.01, atol=1e-3)


def test_by_itself_it_descends_on_the_loss(autoencoder):
    assert LatentSearch(autoencoder).objective == "loss"


def test_the_error_at_the_end_and_its_slope_are_those_of_a_projection(autoencoder, hidden):
    autoencoder.decoder = Tilted()
    images = hidden[2].clone().requires_grad_()
    errors = LatentSearch(autoencoder, steps=400, objective="distance")._at_ends(images)[0]
    (gradient,) = torch.autograd.grad(errors[:, 0].sum(), images)
    off = (images - 0.5).flatten(1).detach()
    rest = off - off @ autoencoder.decoder.basis @ autoencoder.decoder.basis.T
    torch.testing.assert_close(errors[:, 0], rest.square().sum(dim=1), rtol=1e-3, atol=1e-4)
    torch.testing.assert_close(gradient.flatten(1), 2 * rest, rtol=0, atol=6e-3)


def test_the_slope_there_is_that_of_the_least_cost(autoencoder, hidden):
    """The cost at the end of a descent, descended anew from images a little off, says how it falls."""
    autoencoder.decoder = Tilted()
    search, images = LatentSearch(autoencoder, steps=400), hidden[2]
    images = images.clone().requires_grad_()
    (slope,) = torch.autograd.grad(search._at_ends(images)[0][:, 0].sum(), images)
    with torch.no_grad():
        way = slope / slope.flatten(1).norm(dim=1)[:, None, None, None]
        ahead, behind = (search._at_ends(images + step * way)[0][:, 0] for step in (0.05, -0.05))
    measured = (ahead - behind) / 0.1
    torch.testing.assert_close(measured, (slope * way).flatten(1).sum(dim=1), rtol=0.02, atol=1e-3)


def test_its_scores_name_the_class_that_it_answers_with(autoencoder, hidden, monkeypatch):
    monkeypatch.setattr(latent_search, "FEWEST", CLASSES)  # where it gives starts up it may miss the best
    monkeypatch.setattr(latent_search, "PATIENCE", 200)
    images = torch.cat([hidden[2], torch.rand(20, *SHAPE, generator=torch.Generator().manual_seed(5))])
    search = LatentSearch(autoencoder, steps=200)
    scores = search.scores(images)
    assert scores.shape == (len(images), CLASSES)
    agreed = (scores.argmax(dim=1) == search(images)).float().mean()
    assert agreed > 0.95  # the last step may lie off the least cost
    assert (scores[: len(hidden[1])].argmax(dim=1) == hidden[1]).all()


def test_a_class_in_which_no_start_ends_has_the_lowest_score(autoencoder, hidden, monkeypatch):
    search, images = LatentSearch(autoencoder, steps=1), hidden[2][:2]
    ends = autoencoder.means[[0, 2, 2, 3]].repeat(2, 1, 1)
    monkeypatch.setattr(search, "_ends", lambda images: ends)
    scores = search.scores(images)
    assert (scores[:, 1] == scores.amin(dim=1)).all()
    costs = search._costs(ends, images)
    least = costs.amin(dim=1, keepdim=True)
    torch.testing.assert_close(scores[:, [0, 2, 3]], -costs[:, [0, 2, 3]] / (latent_search.SOFTNESS * least))


def test_an_attacker_makes_it_wrong_about_images_that_are_rejected(autoencoder, hidden):
    _, labels, images = hidden
    output = ReconstructionError(autoencoder).eval()
    output.threshold.fill_(1e-3)
    system = Defended(autoencoder, None, (output,), LatentSearch(autoencoder, steps=30)).eval()
    threat = ThreatModel("linf", 0.4)
    label = int(labels[0])
    chosen = images[labels == label]
    model = surface(system, "adaptive", view=View(stand_in=SECOND_LOOK), label=label)
    attacked = PGD(steps=20)(model, chosen, labels[labels == label], threat)
    margin = Goal(labels[labels == label]).margin(model(attacked))
    wrong = ~output.accepts(attacked) & (system.predict(attacked) != label)
    assert wrong.float().mean() > 0.5  # two classes nearly tied may fall either way on another machine
    assert (margin > 0).all()
    output.threshold.fill_(1e3)  # an image that nobody rejects is never looked at again
    assert (Goal(labels[labels == label]).margin(model(attacked)) <= 0).all()
