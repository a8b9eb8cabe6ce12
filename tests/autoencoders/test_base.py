"""The objective that all autoencoders share, seen through those whose latent is a point."""

import pytest
import torch

from purifold.autoencoders.plain import PlainAutoencoder
from purifold.errors import InputError


def plain(encoder, decoder, **config):
    return PlainAutoencoder(encoder, decoder, **config)


def half_squared(target):
    """The squared loss of a grey reconstruction."""
    return (target - 0.5).square().flatten(1).sum(1) / 2


def noisy(images, std, seed):
    torch.manual_seed(seed)
    return (images + std * torch.randn_like(images)).clamp(0, 1)


def test_binary_cross_entropy_is_that_of_the_textbook_summed_over_pixels(linear, mirror, images):
    autoencoder = plain(linear(3), mirror(3))
    pixels = autoencoder.reconstruct(images)
    naive = -(images * pixels.log() + (1 - images) * (1 - pixels).log())
    torch.testing.assert_close(autoencoder.loss(images), naive.sum((1, 2, 3)))


def test_the_squared_loss_is_half_the_squared_distance_summed_over_pixels(linear, mirror, images):
    autoencoder = plain(linear(3), mirror(3), reconstruction="squared")
    distance = torch.cdist(autoencoder.reconstruct(images).flatten(1), images.flatten(1)).diagonal()
    torch.testing.assert_close(autoencoder.loss(images), distance.square() / 2)


def test_binary_cross_entropy_stays_finite_where_the_sigmoid_is_0_or_1(linear, mirror, images):
    autoencoder = plain(linear(3), mirror(3))
    with torch.no_grad():
        autoencoder.decoder.layers[0].bias.fill_(1e4)
    assert autoencoder.reconstruct(images).min() == 1
    torch.testing.assert_close(
        autoencoder.loss(images), (1e4 * (1 - images)).sum((1, 2, 3)), rtol=1e-3, atol=0
    )


def test_a_denoising_autoencoder_is_held_to_the_clean_image(linear, grey, images):
    autoencoder = plain(linear(3), grey(3), noise_std=0.4, denoising=True, reconstruction="squared")
    torch.testing.assert_close(autoencoder.loss(images), half_squared(images))


def test_without_denoising_the_noisy_image_is_the_target(linear, grey, images):
    autoencoder = plain(linear(3), grey(3), noise_std=0.4, reconstruction="squared")
    corrupted = noisy(images, 0.4, seed=7)
    torch.manual_seed(7)
    torch.testing.assert_close(autoencoder.loss(images), half_squared(corrupted))


@pytest.mark.parametrize("denoising", [False, True])
def test_the_encoder_reads_the_noisy_image_clamped_to_the_pixel_range(denoising, linear, grey, images):
    autoencoder = plain(linear(16), grey(16), noise_std=0.4, denoising=denoising)
    with torch.no_grad():
        autoencoder.encoder.layers[1].weight.copy_(torch.eye(16))
        autoencoder.encoder.layers[1].bias.zero_()
    corrupted = noisy(images, 0.4, seed=3)
    torch.manual_seed(3)
    autoencoder.loss(images)
    assert torch.equal(autoencoder.decoder.seen[-1], corrupted.flatten(1))
    assert corrupted.min() == 0


def test_noise_is_drawn_anew_each_time_and_never_at_inference(linear, mirror, images):
    autoencoder = plain(linear(3), mirror(3), noise_std=0.2)
    assert (autoencoder.loss(images) != autoencoder.loss(images)).all()
    assert torch.equal(autoencoder.reconstruct(images), autoencoder.reconstruct(images))


def test_without_noise_and_projections_nothing_is_drawn(curved, mirror, images):
    autoencoder = plain(curved(3), mirror(3), contractive_weight=0.5, projections=3)
    before = torch.get_rng_state()
    autoencoder.loss(images)
    assert torch.equal(torch.get_rng_state(), before)


def test_the_objective_is_the_same_in_training_and_evaluation_mode(curved, mirror, images):
    autoencoder = plain(curved(3), mirror(3), noise_std=0.2, contractive_weight=0.5)
    losses = []
    for training in (True, False):
        torch.manual_seed(4)
        losses.append(autoencoder.train(training).loss(images))
    assert torch.equal(*losses)


def test_terms_add_up_to_the_loss_and_are_named_after_what_is_there(curved, mirror, images):
    bare = plain(curved(3), mirror(3))
    assert set(bare.terms(images)) == {"reconstruction"}
    contractive = plain(bare.encoder, bare.decoder, contractive_weight=0.5, projections=3)
    terms = contractive.terms(images)
    assert set(terms) == {"reconstruction", "contractive"}
    torch.testing.assert_close(contractive.loss(images), terms["reconstruction"] + terms["contractive"])
    torch.testing.assert_close(terms["reconstruction"], bare.loss(images))


def test_the_contractive_term_is_the_weighted_jacobian_at_the_noisy_image(curved, mirror, images):
    autoencoder = plain(
        curved(3), mirror(3), noise_std=0.3, denoising=True, contractive_weight=0.7, projections=3
    )
    corrupted = noisy(images, 0.3, seed=2)
    jacobians = torch.func.vmap(torch.func.jacrev(lambda image: autoencoder.encode(image[None])[0]))(
        corrupted
    )
    torch.manual_seed(2)
    found = autoencoder.terms(images)["contractive"]
    torch.testing.assert_close(found, 0.7 * jacobians.flatten(1).square().sum(1))


def test_the_loss_of_an_image_does_not_depend_on_its_batch(curved, mirror, images):
    autoencoder = plain(curved(3), mirror(3), contractive_weight=0.7, projections=3)
    together = autoencoder.loss(images)
    for row in range(6):
        torch.testing.assert_close(autoencoder.loss(images[row : row + 1])[0], together[row])


def test_losses_need_no_gradient_of_the_caller(curved, mirror, images):
    autoencoder = plain(curved(3), mirror(3), contractive_weight=0.7, projections=3)
    with torch.no_grad():
        loss = autoencoder.loss(images)
    assert not loss.requires_grad
    torch.testing.assert_close(loss, autoencoder.loss(images).detach())
    assert not images.requires_grad


def test_the_contractive_term_trains_the_encoder_alone(curved, mirror, images):
    autoencoder = plain(curved(3), mirror(3), contractive_weight=0.7)
    term = autoencoder.terms(images)["contractive"].sum()
    matrices = [autoencoder.encoder.layers[place].weight for place in (1, 3)]
    assert all(
        gradient.abs().max() > 0 for gradient in torch.autograd.grad(term, matrices, retain_graph=True)
    )
    decoding = tuple(autoencoder.decoder.parameters())
    assert torch.autograd.grad(term, decoding, allow_unused=True) == (None, None)


def test_halves_that_do_not_fit_are_refused(linear, mirror):
    with pytest.raises(InputError, match=r"encoder must have 3 outputs, 1 for each latent unit .* got 4"):
        plain(linear(4), mirror(3))
    larger = type(mirror(3))((1, 5, 4), 3)
    with pytest.raises(
        InputError, match=r"decoder must give the encoder's image shape \(1, 4, 4\), got \(1, 5, 4\)"
    ):
        plain(linear(3), larger)


@pytest.mark.parametrize(
    ("config", "message"),
    [
        ({"noise_std": -0.1}, "noise_std must be 0 or above and finite, got -0.1"),
        ({"noise_std": float("nan")}, "noise_std must be"),
        ({"contractive_weight": float("inf")}, "contractive_weight must be 0 or above and finite, got inf"),
        ({"projections": 0}, "projections must be 1 or above, got 0"),
    ],
)
def test_values_that_cannot_be_trained_with_are_refused(config, message, linear, mirror):
    with pytest.raises(InputError, match=message):
        plain(linear(3), mirror(3), **config)


def test_images_of_another_shape_are_refused(linear, mirror):
    with pytest.raises(InputError, match=r"images must have shape \(batch, 1, 4, 4\)"):
        plain(linear(3), mirror(3)).loss(torch.rand(2, 1, 5, 4))


def test_the_configuration_is_printed(linear, mirror):
    text = repr(plain(linear(3), mirror(3), noise_std=0.25, contractive_weight=0.5, projections=2))
    assert (
        "noise_std=0.25, denoising=False, contractive_weight=0.5, projections=2, reconstruction='bce'" in text
    )
