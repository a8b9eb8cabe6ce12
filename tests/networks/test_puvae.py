import pytest
import torch
import torch.nn.functional as F

from purifold.networks.puvae import PuvaeDecoder, PuvaeEncoder


@pytest.fixture
def encoder():
    return PuvaeEncoder((1, 8, 8), classes=3, latent=5)


def test_encoder_parameters_are_those_of_table_1_and_a_label_weight(count):
    convolutions = (49 * 1 + 1) * 32 + 2 * (49 * 32 + 1) * 32
    dense = (28 * 28 * 32 + 1) * 1024 + (1024 + 1) * 1024 + (1024 + 1) * 64
    assert count(PuvaeEncoder((1, 28, 28), classes=10, latent=32)) == convolutions + dense + 10 * 1024


@pytest.mark.parametrize("side", [28, 32])
def test_decoder_parameters_are_those_of_table_1_and_a_label_weight(side, count):
    deconvolutions = 2 * (49 * 32 + 1) * 32 + 49 * 32 * 3 + 3
    assert count(PuvaeDecoder((3, side, side), classes=10, latent=32)) == (32 + 1 + 10) * 512 + deconvolutions


def test_the_label_enters_at_the_first_dense_layer(encoder):
    images, labels = torch.rand(4, 1, 8, 8), torch.tensor([0, 2, 1, 2])
    joined = torch.cat([encoder.convolutions(images), F.one_hot(labels, 3).float()], dim=1)
    weight = torch.cat([encoder.of_image.weight, encoder.of_label.weight], dim=1)
    hidden = F.linear(joined, weight, encoder.of_image.bias)
    mean, spread = encoder.rest(hidden).chunk(2, dim=1)
    found_mean, found_std = encoder(images, labels)
    torch.testing.assert_close(found_mean, mean)
    torch.testing.assert_close(found_std, torch.log1p(spread.exp()))


def test_features_once_and_a_head_a_class_give_what_whole_passes_give(encoder):
    images = torch.rand(2, 1, 8, 8)
    features = encoder.features(images)
    for label in range(3):
        labels = torch.full((2,), label)
        for shared, whole in zip(encoder.head(features, labels), encoder(images, labels), strict=True):
            torch.testing.assert_close(shared, whole)


def test_heads_leave_the_features_as_they_were(encoder):
    features = encoder.features(torch.rand(2, 1, 8, 8))
    kept = features.clone()
    encoder.head(features, torch.tensor([0, 1]))
    assert torch.equal(features, kept)


def test_standard_deviations_are_positive_and_the_label_counts(encoder):
    images = torch.rand(1, 1, 8, 8).expand(3, -1, -1, -1)
    mean, std = encoder(images, torch.arange(3))
    assert (std > 0).all()
    assert (mean[0] != mean[1]).any()
    assert (mean[1] != mean[2]).any()


@pytest.mark.parametrize("shape", [(1, 28, 28), (3, 32, 32), (1, 8, 8), (2, 13, 7)])
def test_the_pair_gives_back_the_shape_in_the_unit_interval(shape):
    encoder, decoder = PuvaeEncoder(shape, 4, 6), PuvaeDecoder(shape, 4, 6)
    labels = torch.tensor([3, 0])
    mean, _ = encoder(torch.rand(2, *shape), labels)
    images = decoder(mean, labels)
    assert images.shape == (2, *shape)
    assert 0 <= images.min() <= images.max() <= 1
    torch.testing.assert_close(images, torch.sigmoid(decoder.logits(mean, labels)))


def test_the_gradient_reaches_every_parameter_of_the_pair(encoder):
    decoder, labels = PuvaeDecoder((1, 8, 8), 3, 5), torch.tensor([0, 1, 2])
    mean, std = encoder(torch.rand(3, 1, 8, 8), labels)
    images = decoder(mean + std * torch.randn_like(std), labels)
    parameters = dict(encoder.named_parameters()) | {f"d.{n}": p for n, p in decoder.named_parameters()}
    gradients = torch.autograd.grad((images * torch.randn_like(images)).sum(), tuple(parameters.values()))
    for name, gradient in zip(parameters, gradients, strict=True):
        assert gradient.abs().max() > 0, name


def test_an_image_alone_gives_what_it_gives_in_a_batch(encoder):
    images, labels = torch.rand(4, 1, 8, 8), torch.tensor([0, 2, 1, 2])
    together = encoder(images, labels)[0]
    for row in range(4):
        alone = encoder(images[row : row + 1], labels[row : row + 1])[0]
        torch.testing.assert_close(alone[0], together[row], atol=1e-5, rtol=0)
