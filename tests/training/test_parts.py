"""A batch in parts: the same gradient, whatever fits, and no trace of what did not."""

import pytest
import torch
from torch import nn

from purifold.errors import Failure
from purifold.training.parts import Parts


class Scarce(nn.Module):
    """A network for which only some images fit into memory; it counts its updates, as some models do."""

    def __init__(self, network, most):
        super().__init__()
        self.network, self.most, self.sizes = network, most, []
        self.register_buffer("updates", torch.zeros((), dtype=torch.long))

    def forward(self, images):
        self.updates += self.training
        logits = self.network(images)  # what changes in there has changed by the time memory runs out
        if len(images) > self.most:
            raise torch.OutOfMemoryError("CUDA out of memory. Tried to allocate 2 GiB.")
        self.sizes.append(len(images))
        return logits


@pytest.fixture
def scarce(linear):
    """Makes the linear classifier for which at most so many images fit."""
    return lambda most: Scarce(linear(), most)


def descended(model, size, count):
    """Gradients and mean loss of a batch whose loss of image i is (i + 1) times its first logit."""
    images = torch.rand(count, 1, 6, 6, generator=torch.Generator().manual_seed(3))

    def backward(rows, share):
        loss = (model(images[rows])[:, 0] * (rows + 1)).mean() * share
        loss.backward()
        return loss.detach()

    parts = Parts(model=model, device=torch.device("cpu"), size=size)
    loss = parts.descend(torch.arange(count), backward)
    return loss, [weight.grad for weight in model.parameters()], parts.size


@pytest.mark.parametrize(
    ("most", "sizes"), [(99, [7]), (4, [3, 3, 1]), (3, [3, 3, 1]), (2, [1] * 7), (1, [1] * 7)]
)
def test_parts_of_any_size_add_up_to_the_gradient_of_the_batch(scarce, most, sizes):
    loss, gradients, _ = descended(scarce(99), 7, 7)
    model = scarce(most)
    found, parts, size = descended(model, 7, 7)
    assert torch.allclose(found, loss, atol=1e-6)
    for part, gradient in zip(parts, gradients, strict=True):
        assert torch.allclose(part, gradient, atol=1e-5)
    assert model.sizes == sizes
    assert size == sizes[0]


def test_what_a_model_counts_counts_once_an_update(scarce):
    model = scarce(2)
    descended(model, 7, 7)
    assert int(model.updates) == 1


def test_draws_begin_anew_after_a_try_that_failed(scarce):
    drawn = []
    model = scarce(3)

    def backward(rows, share):
        drawn.append(torch.rand(()).item())
        return model(torch.zeros(len(rows), 1, 6, 6)).sum().detach()

    torch.manual_seed(0)
    Parts(model=model, device=torch.device("cpu"), size=6).descend(torch.arange(6), backward)
    assert drawn[0] == drawn[1] != drawn[2]


def test_a_part_that_was_added_before_another_did_not_fit_is_not_added_twice(scarce):
    """As where another process takes the rest of a GPU's memory meanwhile."""
    loss, gradients, _ = descended(scarce(99), 7, 7)
    model = scarce(3)
    model.register_forward_hook(lambda *_: setattr(model, "most", 1))
    found, parts, size = descended(model, 3, 7)
    assert model.sizes == [3, *[1] * 7]
    assert size == 1
    assert torch.allclose(found, loss, atol=1e-6)
    for part, gradient in zip(parts, gradients, strict=True):
        assert torch.allclose(part, gradient, atol=1e-5)


def test_a_single_image_that_does_not_fit_is_a_failure(scarce):
    with pytest.raises(Failure, match="out of memory with a single image"):
        descended(scarce(0), 7, 7)


@pytest.mark.parametrize("most", [8, 5])
def test_a_training_that_runs_out_of_memory_ends_as_one_that_does_not(train, split, scarce, most):
    """But for rounding: 50 images in batches of 16, the last of 2."""
    ample, short = scarce(99), scarce(most)
    expected = train(ample, validation=split(9, seed=1))
    found = train(short, validation=split(9, seed=1))
    for one, other in zip(ample.parameters(), short.parameters(), strict=True):
        assert torch.allclose(one, other, atol=1e-5)
    assert found.train_loss == pytest.approx(expected.train_loss, abs=1e-5)
    assert found.validation_loss == pytest.approx(expected.validation_loss, abs=1e-5)
    assert int(short.updates) == int(ample.updates) == 3 * 4
    assert max(short.sizes) <= most


def test_a_run_that_goes_on_after_a_kill_is_cut_as_the_unbroken_one(train, network, same, tmp_path):
    """Noise, normalisation and memory that is short: nothing of it may tell where the run was cut."""
    unbroken, first, second = (Scarce(network(), 5) for _ in range(3))
    train(unbroken, epochs=3)

    def killed(progress):
        if progress.epoch == 2 and progress.step == 2:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        train(first, epochs=3, folder=tmp_path, progress=killed)
    train(second, epochs=3, folder=tmp_path)
    assert same(unbroken, second)
