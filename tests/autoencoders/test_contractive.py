import pytest
import torch
from torch.func import jacrev, vmap

from purifold.autoencoders.contractive import encode_with_norm, squared_norm


def by_jacrev(encoder, images, units):
    jacobian = vmap(jacrev(lambda image: encoder(image[None])[0, :units]))(images)
    return jacobian.flatten(1).square().sum(dim=1)


def test_as_many_projections_as_units_give_the_norm_of_the_whole_jacobian(curved, images):
    encoder = curved(5)
    _, norm = encode_with_norm(encoder, images, units=5, projections=5)
    torch.testing.assert_close(norm, by_jacrev(encoder, images, 5))


def test_only_the_first_units_count(curved, images):
    encoder = curved(6)
    _, norm = encode_with_norm(encoder, images, units=3, projections=3)
    torch.testing.assert_close(norm, by_jacrev(encoder, images, 3))


@pytest.mark.parametrize("projections", [1, 3])
def test_the_estimate_is_unbiased_for_every_image(projections, curved, images):
    encoder, draws = curved(8), 2400
    estimates = torch.stack(
        [encode_with_norm(encoder, images, 8, projections)[1].detach() for _ in range(draws // projections)]
    )
    error = estimates.std(0) / len(estimates) ** 0.5
    exact = by_jacrev(encoder, images, 8)
    assert ((estimates.mean(0) - exact).abs() < 4 * error).all()
    assert (error < 0.05 * exact).all()


def test_more_projections_vary_less(curved, images):
    encoder = curved(12)
    spread = {
        projections: torch.stack(
            [encode_with_norm(encoder, images, 12, projections)[1] for _ in range(200)]
        ).std(0)
        for projections in (1, 9)
    }
    torch.testing.assert_close(spread[1] / spread[9], torch.full((6,), 3.0), rtol=0.35, atol=0)


def test_the_exact_norm_of_a_matrix_has_the_gradient_of_its_squares(linear, images):
    encoder = linear(4)
    weight = encoder.layers[1].weight
    _, norm = encode_with_norm(encoder, images, units=4, projections=4)
    torch.testing.assert_close(norm, weight.square().sum().expand(6))
    (gradient,) = torch.autograd.grad(norm.sum(), weight)
    torch.testing.assert_close(gradient, 6 * 2 * weight)


def test_the_estimate_has_an_unbiased_gradient(curved, images):
    encoder = curved(4)
    parameters = tuple(encoder.layers[1].parameters())
    exact = torch.autograd.grad(encode_with_norm(encoder, images, 4, 4)[1].sum(), parameters)
    draws = [
        torch.autograd.grad(encode_with_norm(encoder, images, 4, 1)[1].sum(), parameters) for _ in range(1000)
    ]
    for place, wanted in enumerate(exact):
        found = torch.stack([draw[place] for draw in draws])
        assert ((found.mean(0) - wanted).abs() < 5 * found.std(0) / len(draws) ** 0.5 + 1e-6).all()


def test_without_gradients_the_values_are_the_same_and_carry_no_graph(curved, images):
    encoder = curved(5)
    torch.manual_seed(1)
    outputs, norm = encode_with_norm(encoder, images, 5, 2)
    torch.manual_seed(1)
    with torch.no_grad():
        bare_outputs, bare_norm = encode_with_norm(encoder, images, 5, 2)
    assert torch.equal(bare_outputs, outputs)
    assert torch.equal(bare_norm, norm)
    for tensor in (bare_outputs, bare_norm, images):
        assert not tensor.requires_grad


def test_an_undifferentiable_norm_leaves_the_graph_for_the_next_call(curved, images):
    inputs = images.requires_grad_()
    codes = curved(3)(inputs)
    first = squared_norm(codes, inputs, 3, differentiable=False)
    assert torch.equal(squared_norm(codes, inputs, 3, differentiable=False), first)
    assert not first.requires_grad
