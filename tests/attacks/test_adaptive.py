import pytest
import torch
from torch import nn

from purifold.attacks.adaptive import Averaged, StraightThrough
from purifold.attacks.pgd import PGD
from purifold.errors import InputError
from purifold.threat import ThreatModel


def images(count=5):
    return torch.rand(count, 1, 2, 2, generator=torch.Generator().manual_seed(0), dtype=torch.float64)


class Scripted(nn.Module):
    """A linear model of images plus the next rows of a fixed table of noise; notes the size of each call."""

    def __init__(self):
        super().__init__()
        generator = torch.Generator().manual_seed(1)
        self.weight = nn.Parameter(torch.randn(4, 3, generator=generator, dtype=torch.float64))
        self.table = torch.randn(200, 4, generator=generator, dtype=torch.float64)
        self.sizes = []

    def forward(self, batch):
        noise = self.table[sum(self.sizes) :][: len(batch)]
        self.sizes.append(len(batch))
        return torch.sin(3 * batch.flatten(1) + noise) @ self.weight


class Noisy(nn.Module):
    """The same with noise from torch's generator."""

    def __init__(self):
        super().__init__()
        self.weight = Scripted().weight

    def forward(self, batch):
        noise = torch.rand(batch.shape, dtype=batch.dtype)
        return torch.sin(3 * (batch + noise)).flatten(1) @ self.weight


def gradient(model, batch):
    batch = batch.clone().requires_grad_()
    logits = model(batch)
    return logits.detach(), torch.autograd.grad((logits * torch.tensor([1.0, -2.0, 0.5])).sum(), batch)[0]


def loop(model, draws):
    return lambda batch: sum(model(batch) for _ in range(draws)) / draws


def test_averaged_is_one_call_with_the_logits_and_gradient_of_a_loop():
    once, often = Scripted(), Scripted()
    averaged = gradient(Averaged(once.eval(), 7), images())
    looped = gradient(loop(often, 7), images())
    torch.testing.assert_close(averaged, looped)
    assert once.sizes == [35]


@pytest.mark.parametrize("chunk", [1, 5, 12, 10_000])
def test_averaged_in_chunks_has_the_logits_and_gradient_of_a_loop(chunk):
    model = Noisy().eval()
    torch.manual_seed(3)
    averaged = gradient(Averaged(model, 7, chunk=chunk), images())
    torch.manual_seed(3)
    torch.testing.assert_close(averaged, gradient(loop(model, 7), images()))


def test_averaged_keeps_calls_within_the_chunk_and_leaves_no_graph_of_them():
    model, held = Scripted().eval(), []
    with torch.no_grad():
        Averaged(model, 7, chunk=12)(images())
    assert model.sizes == [10, 10, 10, 5]

    def packed(tensor):
        held.append(tensor.numel())
        return tensor

    noisy = Noisy().eval()
    for chunk, wanted in ((10_000, False), (12, True)):
        held.clear()
        with torch.autograd.graph.saved_tensors_hooks(packed, lambda tensor: tensor):
            Averaged(noisy, 7, chunk=chunk)(images().requires_grad_())
        assert (sum(held) < 35 * 4) == wanted  # the sine alone keeps its input, 4 numbers an image


def test_averaged_log_probabilities_predict_and_slope_as_averaged_logits():
    def normalised(model):
        return lambda batch: model(batch).log_softmax(dim=1)

    label = torch.tensor([0, 1, 2, 0, 1])
    slopes = []
    for form in (lambda model: model, normalised):
        batch = images().requires_grad_()
        logits = Averaged(form(Scripted()), 9)(batch)
        loss = nn.functional.cross_entropy(logits, label, reduction="sum")
        slopes.append((logits.argmax(dim=1), torch.autograd.grad(loss, batch)[0]))
    torch.testing.assert_close(slopes[0], slopes[1])


def test_loss_of_averaged_logits_is_a_lower_bound_of_the_mean_loss():
    label = torch.tensor([0, 1, 2, 0, 1])
    often = Scripted()
    losses = [nn.functional.cross_entropy(often(images()), label, reduction="none") for _ in range(9)]
    of_mean = nn.functional.cross_entropy(Averaged(Scripted(), 9)(images()), label, reduction="none")
    assert (of_mean <= torch.stack(losses).mean(dim=0)).all()


class Rounding(nn.Module):
    """Rounds pixels to 8 levels: its true gradient is 0 wherever it exists."""

    def forward(self, batch):
        return (batch * 7).round() / 7


def test_straight_through_is_the_transform_forward_and_the_surrogate_backward():
    wrapped = StraightThrough(Rounding(), lambda batch: batch**2)
    batch = images().requires_grad_()
    purified = wrapped(batch)
    assert torch.equal(purified, Rounding()(images()))
    (slope,) = torch.autograd.grad(purified.sum(), batch)
    torch.testing.assert_close(slope, 2 * images())


def test_straight_through_asks_the_surrogate_only_for_gradients():
    asked = []
    wrapped = StraightThrough(Rounding(), lambda batch: (asked.append(1), batch)[1])
    with torch.no_grad():
        wrapped(images().requires_grad_())
    wrapped(images())
    assert not asked


def test_straight_through_breaks_a_rounding_defense_that_hides_its_gradient(two_class):
    problem = two_class("linf")
    defended = nn.Sequential(Rounding(), problem.model).eval()
    adapted = nn.Sequential(StraightThrough(Rounding(), lambda batch: batch), problem.model).eval()
    threat = ThreatModel("linf", 0.3)
    right = defended(problem.images).argmax(dim=1) == problem.labels
    assert right.any()
    attack = PGD(random_start=False)
    masked = attack(defended, problem.images, problem.labels, threat)
    broken = attack(adapted, problem.images, problem.labels, threat)
    assert torch.equal(masked, problem.images)
    assert (defended(broken).argmax(dim=1) == 1).all()


def test_straight_through_refuses_a_surrogate_of_another_shape():
    wrapped = StraightThrough(Rounding(), lambda batch: batch.flatten(1))
    with pytest.raises(InputError, match=r"surrogate must return the transform's shape \(5, 1, 2, 2\)"):
        wrapped(images().requires_grad_())


def test_wrappers_nest_and_do_not_hide_a_mode(row_wise, extreme_images):
    labels = torch.zeros(64, dtype=torch.long)
    stacked = Averaged(nn.Sequential(StraightThrough(Rounding(), lambda x: x), row_wise).eval(), 2)
    attack, threat = PGD(steps=2), ThreatModel("linf", 0.1)
    assert attack(stacked, extreme_images, labels, threat).shape == extreme_images.shape
    row_wise.train()
    with pytest.raises(InputError, match="training mode"):
        attack(stacked, extreme_images, labels, threat)


@pytest.mark.parametrize("arguments", [{"draws": 0}, {"draws": 2, "chunk": 0}])
def test_averaged_refuses_no_draws(arguments):
    with pytest.raises(InputError, match="must be 1 or above, got 0"):
        Averaged(Noisy(), **arguments)
