"""A scale bounds what is trained, and keeps everything else."""

from itertools import pairwise

import pytest

from purifold.engine.scale import SCALES, Scale

SCALE = Scale(
    name="cpu", images=10, seen=10_000, encoded=20_000, epochs=20, draws=1, eot=1, audit=1, played=1_000
)


@pytest.mark.parametrize(("images", "epochs"), [(10_000, 1), (5_000, 2), (1_000, 10), (100, 20), (1, 20)])
def test_epochs_are_those_that_show_so_many_images_within_the_bound(images, epochs):
    assert SCALE.classifier(images).epochs == epochs
    assert SCALE.autoencoder(images).epochs == 2 * epochs
    assert SCALE.mixture(images).epochs == 2 * epochs
    assert SCALE.conditional(images).epochs == 6 * epochs


def test_weights_that_clean_images_leave_alone_decay_where_codes_choose_the_class():
    assert SCALE.conditional(5_000).weight_decay > SCALE.autoencoder(5_000).weight_decay == 0


def test_a_classifier_of_varied_images_sees_more_of_them_where_it_does_not_see_many_anyway():
    plain, varied = SCALE.classifier(5_000), SCALE.classifier(5_000, varied=True)
    assert (plain.augment, varied.augment) == ("none", "flip-crop")
    assert varied.epochs == 2 * plain.epochs
    adam = [SCALE.classifier(5_000, adam=True, varied=choice).epochs for choice in (False, True)]
    assert adam == [3 * plain.epochs] * 2


def test_a_larger_scale_is_larger_in_everything():
    sizes = [
        (scale.images, scale.seen, scale.encoded, scale.epochs, scale.draws, scale.eot, scale.audit)
        for scale in (SCALES["smoke"], SCALES["cpu"], SCALES["paper"])
    ]
    for small, large in pairwise(sizes):
        assert all(low <= high for low, high in zip(small, large, strict=True))
        assert small != large
