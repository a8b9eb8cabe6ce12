import numpy as np
import pytest
import torch
from torch.distributions import Bernoulli, Normal, kl_divergence

from purifold.autoencoders.variational import VariationalAutoencoder, standard_normal_kl
from purifold.errors import InputError


@pytest.fixture
def vae(curved, mirror):
    return VariationalAutoencoder(curved(6), mirror(3))


def spied(curved, grey, **config):
    """An autoencoder whose decoder keeps the latents, with posteriors of visible width."""
    autoencoder = VariationalAutoencoder(curved(6), grey(3), **config)
    return autoencoder, autoencoder.decoder.seen


def test_the_kl_divergence_is_that_of_torchs_distributions():
    mean, log_variance = 3 * torch.randn(50, 7), 3 * torch.randn(50, 7)
    posterior, prior = Normal(mean, (log_variance / 2).exp()), Normal(torch.zeros(7), torch.ones(7))
    torch.testing.assert_close(standard_normal_kl(mean, log_variance), kl_divergence(posterior, prior).sum(1))


def test_the_kl_divergence_keeps_its_digits_near_the_prior_and_far_from_it():
    small = torch.tensor([[1e-4], [-1e-4]])
    exact = (torch.expm1(small.double()) - small.double()) / 2
    torch.testing.assert_close(standard_normal_kl(0 * small, small).double(), exact[:, 0], rtol=2e-3, atol=0)
    narrow = standard_normal_kl(torch.zeros(1, 1), torch.full((1, 1), -200.0))
    torch.testing.assert_close(narrow, torch.tensor([199.0 / 2]))


def test_outputs_are_means_then_log_variances(vae, images):
    outputs = vae.encoder(images)
    mean, log_variance = vae.posterior(images)
    assert torch.equal(mean, outputs[:, :3])
    assert torch.equal(log_variance, outputs[:, 3:])
    assert torch.equal(vae.encode(images), mean)


def expected_log_likelihood(vae, image, points):
    """E_q[log p(x|z)] and log p(x) of a one-unit Bernoulli decoder, by Gauss-Hermite quadrature."""
    nodes, weights = (
        torch.tensor(part, dtype=torch.float32) for part in np.polynomial.hermite_e.hermegauss(points)
    )
    weights = weights / weights.sum()
    mean, log_variance = vae.posterior(image)

    def log_likelihood(latent):
        return Bernoulli(logits=vae.decoder.logits(latent)).log_prob(image.round()).sum((1, 2, 3))

    under_posterior = log_likelihood(mean + (log_variance / 2).exp() * nodes[:, None])
    under_prior = log_likelihood(nodes[:, None])
    return (weights * under_posterior).sum(), (weights * under_prior.exp()).sum().log()


def test_the_loss_is_in_the_mean_the_negative_evidence_lower_bound(curved, mirror):
    vae = VariationalAutoencoder(curved(2), mirror(1))
    image = torch.rand(1, 1, 4, 4).round()
    with torch.no_grad():
        likelihood, evidence = expected_log_likelihood(vae, image, points=60)
        bound = likelihood - standard_normal_kl(*vae.posterior(image))[0]
        losses = vae.loss(image.expand(40_000, -1, -1, -1))
    assert abs(losses.mean() + bound) < 4 * losses.std() / 200
    assert bound < evidence


def test_terms_are_the_reconstruction_and_the_kl_times_beta(curved, mirror, images):
    encoder, decoder = curved(6), mirror(3)
    terms = {}
    for beta in (1.0, 0.25):
        torch.manual_seed(5)
        terms[beta] = VariationalAutoencoder(encoder, decoder, beta=beta).terms(images)
    assert set(terms[1.0]) == {"reconstruction", "kl"}
    torch.testing.assert_close(terms[0.25]["kl"], terms[1.0]["kl"] / 4)
    assert torch.equal(terms[0.25]["reconstruction"], terms[1.0]["reconstruction"])
    posterior = VariationalAutoencoder(encoder, decoder).posterior(images)
    torch.testing.assert_close(terms[1.0]["kl"], standard_normal_kl(*posterior))


def test_scale_0_decodes_the_mean_and_draws_nothing(vae, images):
    before = torch.get_rng_state()
    found = vae.reconstruct(images, latent_scale=0.0)
    assert torch.equal(torch.get_rng_state(), before)
    assert torch.equal(found, vae.decode(vae.encode(images)))
    assert torch.equal(vae(images), found)


@pytest.mark.parametrize("scale", [0.5, 3.0])
def test_codes_are_drawn_off_the_mean_by_scaled_standard_deviations(scale, curved, grey, images):
    vae, seen = spied(curved, grey)
    many = images.repeat_interleave(3000, dim=0)
    vae.reconstruct(many, latent_scale=scale)
    mean, log_variance = vae.posterior(many)
    draws = (seen[-1] - mean) / (log_variance / 2).exp() / scale
    assert draws.mean().abs() < 4 / draws.numel() ** 0.5
    assert (draws.std() - 1).abs() < 4 / (2 * draws.numel()) ** 0.5
    assert draws.abs().max() > 3


def test_the_clip_bounds_the_draw_before_it_is_scaled(curved, grey, images):
    vae, seen = spied(curved, grey)
    vae.reconstruct(images.repeat_interleave(100, dim=0), latent_scale=2.0, clip=0.5)
    mean, log_variance = vae.posterior(images.repeat_interleave(100, dim=0))
    draws = (seen[-1] - mean) / (log_variance / 2).exp() / 2
    torch.testing.assert_close(draws.abs().max(), torch.tensor(0.5))
    assert (draws.abs() > 0.499).float().mean() > 0.5


def test_the_latent_clip_bounds_the_draws_of_the_loss_alone(curved, grey, images):
    vae, seen = spied(curved, grey, latent_clip=0.5)
    many = images.repeat_interleave(100, dim=0)
    mean, log_variance = vae.posterior(many)
    vae.loss(many)
    vae.reconstruct(many, latent_scale=1.0)
    in_loss, at_inference = ((latent - mean) / (log_variance / 2).exp() for latent in seen)
    torch.testing.assert_close(in_loss.abs().max(), torch.tensor(0.5))
    assert at_inference.abs().max() > 2


def test_the_same_seed_gives_the_same_draws_and_another_others(vae, images):
    def drawn(seed):
        torch.manual_seed(seed)
        return vae.reconstruct(images, latent_scale=1.0), vae.loss(images)

    for first, second, other in zip(drawn(1), drawn(1), drawn(2), strict=True):
        assert torch.equal(first, second)
        assert (first != other).any()


def test_the_contractive_term_is_the_jacobian_of_the_means_alone(curved, mirror, images):
    vae = VariationalAutoencoder(curved(6), mirror(3), contractive_weight=0.5, projections=3)
    jacobians = torch.func.vmap(torch.func.jacrev(lambda image: vae.encode(image[None])[0]))(images)
    found = vae.terms(images)
    torch.testing.assert_close(found["contractive"], 0.5 * jacobians.flatten(1).square().sum(1))
    assert set(found) == {"reconstruction", "kl", "contractive"}


def test_the_gradient_of_the_loss_reaches_every_parameter(vae, images):
    for gradient in torch.autograd.grad(vae.loss(images).sum(), tuple(vae.parameters())):
        assert gradient.abs().max() > 0


def test_half_precision_encoders_lose_no_digits_of_the_kl(vae, images):
    with torch.autocast("cpu", dtype=torch.bfloat16):
        terms = vae.terms(images)
        assert vae.encode(images).dtype == torch.float32
    assert {term.dtype for term in terms.values()} == {torch.float32}
    torch.testing.assert_close(terms["kl"], standard_normal_kl(*vae.posterior(images)), rtol=0.05, atol=0.01)


@pytest.mark.parametrize(
    ("config", "message"),
    [
        ({"beta": -1.0}, "beta must be 0 or above and finite, got -1"),
        ({"beta": float("nan")}, "beta must be"),
        ({"latent_clip": 0.0}, "latent_clip must be above 0, got 0"),
    ],
)
def test_values_that_cannot_be_trained_with_are_refused(config, message, curved, mirror):
    with pytest.raises(InputError, match=message):
        VariationalAutoencoder(curved(6), mirror(3), **config)


def test_an_encoder_without_log_variances_is_refused(curved, mirror):
    with pytest.raises(InputError, match=r"encoder must have 6 outputs, 2 for each latent unit .* got 3"):
        VariationalAutoencoder(curved(3), mirror(3))


@pytest.mark.parametrize("sampling", [{"latent_scale": -0.1}, {"latent_scale": float("nan")}, {"clip": -1.0}])
def test_sampling_that_has_no_meaning_is_refused(sampling, vae, images):
    with pytest.raises(InputError, match="must be"):
        vae.reconstruct(images, **sampling)


def test_the_configuration_is_printed(curved, mirror):
    assert "beta=0.5, latent_clip=5" in repr(
        VariationalAutoencoder(curved(6), mirror(3), beta=0.5, latent_clip=5.0)
    )
