"""Building by name, checks of sizes and shapes, memory layout."""

import pytest
import torch
import torch.nn.functional as F

from purifold.errors import InputError
from purifold.networks.base import (
    Classifier,
    build_classifier,
    build_decoder,
    build_encoder,
)


@pytest.mark.parametrize(
    ("build", "name", "nearest"),
    [
        (build_classifier, "small-cn", "small-cnn"),
        (build_encoder, "patch-vae-minst", "patch-vae-mnist"),
        (build_decoder, "gmvae", "gm-vae"),
    ],
)
def test_an_unknown_name_gives_the_nearest(build, name, nearest):
    with pytest.raises(InputError, match=f"did you mean '{nearest}'"):
        build(name, (1, 28, 28), 10)


@pytest.mark.parametrize(
    ("build", "name", "shape"),
    [
        (build_classifier, "small-cnn", (1, 1, 8)),
        (build_classifier, "puvae-a", (1, 4, 28)),
        (build_classifier, "puvae-b", (1, 27, 28)),
        (build_classifier, "puvae-c", (3, 7, 32)),
        (build_classifier, "patch-vae-mnist", (1, 3, 28)),
        (build_classifier, "patch-vae-cifar", (3, 32, 7)),
        (build_encoder, "patch-vae-mnist", (1, 30, 28)),
        (build_decoder, "patch-vae-cifar", (3, 33, 32)),
        (build_encoder, "patch-vae-16", (3, 32, 32)),
        (build_decoder, "patch-vae-64", (3, 64, 32)),
        (build_encoder, "gm-vae", (1, 7, 7)),
        (build_decoder, "gm-vae", (3, 8, 128)),
    ],
)
def test_a_size_that_a_network_cannot_take_is_refused_with_what_it_takes(build, name, shape):
    with pytest.raises(InputError, match=f"{name} takes images with .* got {shape[1]}x{shape[2]}"):
        build(name, shape, 10)


@pytest.mark.parametrize(
    ("name", "shape"), [("puvae-b", (1, 28, 28)), ("puvae-a", (1, 5, 5)), ("puvae-c", (3, 8, 8))]
)
def test_the_smallest_size_that_is_taken_works(name, shape):
    assert build_classifier(name, shape, 3).eval()(torch.rand(1, *shape)).shape == (1, 3)


def test_a_shape_with_an_empty_side_is_refused():
    with pytest.raises(InputError, match=r"shape must be .* got \(1, 28, 0\)"):
        build_encoder("ae-robustness", (1, 28, 0), 10)


def test_no_classes_no_outputs_and_no_latent_are_refused():
    with pytest.raises(InputError, match="classes must be 1 or above, got 0"):
        build_classifier("mlp", (1, 8, 8), 0)
    with pytest.raises(InputError, match="outputs must be 1 or above, got -1"):
        build_encoder("ae-robustness", (1, 8, 8), -1)
    with pytest.raises(InputError, match="latent must be 1 or above, got 0"):
        build_decoder("ae-robustness", (1, 8, 8), 0)


def test_images_of_another_shape_are_refused():
    classifier, encoder = build_classifier("mlp", (1, 8, 8), 10), build_encoder("ae-robustness", (1, 8, 8), 4)
    for network in (classifier, encoder):
        with pytest.raises(
            InputError, match=r"images must have shape \(batch, 1, 8, 8\), got \(2, 3, 8, 8\)"
        ):
            network(torch.rand(2, 3, 8, 8))


def test_the_first_layer_normalises_each_channel():
    torch.manual_seed(0)
    bare = build_classifier("mlp", (2, 4, 4), 3)
    torch.manual_seed(0)
    normalising = build_classifier("mlp", (2, 4, 4), 3, mean=(0.5, 0.25), std=(0.5, 2.0))
    images = torch.rand(5, 2, 4, 4)
    by_hand = torch.stack([(images[:, 0] - 0.5) * 2, (images[:, 1] - 0.25) / 2], dim=1)
    torch.testing.assert_close(normalising(images), bare(by_hand))


def test_mean_and_std_are_refused_alone_and_for_another_number_of_channels():
    with pytest.raises(InputError, match="mean and std go together"):
        build_classifier("mlp", (1, 8, 8), 10, mean=(0.5,))
    with pytest.raises(InputError, match="mean must have 3 entries"):
        build_classifier("mlp", (3, 8, 8), 10, mean=(0.5,), std=(0.5,))
    with pytest.raises(InputError, match="std must be above 0"):
        build_classifier("mlp", (1, 8, 8), 10, mean=(0.5,), std=(0.0,))


def test_the_channels_last_layout_changes_no_value():
    torch.manual_seed(0)
    classifier = build_classifier("small-cnn", (3, 8, 8), 10).eval()
    images = torch.rand(4, 3, 8, 8)
    assert classifier.layers[2].weight.is_contiguous(memory_format=torch.channels_last)
    fast = classifier(images)
    classifier.to(memory_format=torch.contiguous_format)
    torch.testing.assert_close(classifier(images), fast, atol=1e-6, rtol=0)


def test_small_cnn_reads_97_percent_of_the_held_out_digits():
    from sklearn.datasets import load_digits

    pixels, digits = load_digits(return_X_y=True)
    images = torch.tensor(pixels, dtype=torch.float32).view(-1, 1, 8, 8) / 16
    labels = torch.tensor(digits)
    torch.manual_seed(0)
    order = torch.randperm(len(images))
    held_out, train = order[:360], order[360:]
    network = build_classifier("small-cnn", (1, 8, 8), 10)
    fit(network, images[train], labels[train])
    accuracy = (network.eval()(images[held_out]).argmax(1) == labels[held_out]).float().mean()
    assert accuracy >= 0.97


def fit(network: Classifier, images, labels, epochs=15):
    optimizer = torch.optim.Adam(network.parameters(), lr=2e-3)
    for _ in range(epochs):
        for rows in torch.randperm(len(images)).split(64):
            optimizer.zero_grad()
            F.cross_entropy(network(images[rows]), labels[rows]).backward()
            optimizer.step()
