import numpy as np
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from purifold.losses import cross_entropy, margin

LOGITS = torch.tensor([[2.0, 5.0, -1.0], [2.0, 5.0, -1.0], [-7.0, -7.5, -9.0], [1.0, 1.0, 0.0]])
LABELS = torch.tensor([0, 1, 0, 0])


def random_logits(seed):
    generator = torch.Generator().manual_seed(seed)
    return torch.randn(6, 4, generator=generator, dtype=torch.float64) * 5, torch.arange(6) % 4


def test_margin_is_the_largest_other_logit_less_the_labels():
    assert margin(LOGITS, LABELS).tolist() == [3.0, -3.0, -0.5, 0.0]


def test_cross_entropy_is_minus_the_log_of_the_softmax():
    logits = LOGITS.double().numpy()
    expected = np.log(np.exp(logits).sum(axis=1)) - logits[np.arange(4), LABELS.numpy()]
    np.testing.assert_allclose(cross_entropy(LOGITS.double(), LABELS).numpy(), expected, rtol=1e-9)


@settings(max_examples=15, deadline=None)
@given(st.integers(0, 2**32))
def test_margin_is_above_0_exactly_when_misclassified(seed):
    logits, labels = random_logits(seed)
    assert torch.equal(margin(logits, labels) > 0, logits.argmax(dim=1) != labels)


@settings(max_examples=15, deadline=None)
@given(st.integers(0, 2**32), st.floats(-1e3, 1e3))
def test_a_shift_of_all_logits_changes_no_loss_and_no_gradient(seed, shift):
    logits, labels = random_logits(seed)
    for loss in (cross_entropy, margin):
        values, slopes = [], []
        for form in (logits, logits + shift, logits.log_softmax(dim=1)):
            shifted = form.clone().requires_grad_()
            values.append(loss(shifted, labels))
            slopes.append(torch.autograd.grad(values[-1].sum(), shifted)[0])
        for value, slope in zip(values[1:], slopes[1:], strict=True):
            torch.testing.assert_close(value, values[0], atol=1e-9, rtol=0)
            torch.testing.assert_close(slope, slopes[0], atol=1e-9, rtol=0)


def test_gradient_of_the_margin_is_one_up_and_one_down():
    logits = LOGITS[:3].clone().requires_grad_()
    (slope,) = torch.autograd.grad(margin(logits, LABELS[:3]).sum(), logits)
    assert slope.tolist() == [[-1, 1, 0], [1, -1, 0], [-1, 1, 0]]


def test_losses_are_one_an_image_and_do_not_read_their_neighbours():
    for loss in (cross_entropy, margin):
        whole = loss(LOGITS, LABELS)
        assert whole.shape == (4,)
        alone = [loss(LOGITS[row : row + 1], LABELS[row : row + 1]) for row in range(4)]
        assert torch.equal(whole, torch.cat(alone))
