"""What a Gaussian-mixture VAE is described by."""

import pytest
import torch

from purifold.autoencoders.mixture_spec import MixtureSpec, mixture
from purifold.errors import InputError


def test_the_text_is_read_back():
    for spec in (MixtureSpec(), MixtureSpec(labelled=100, entropy="variable", units=32)):
        assert mixture(str(spec)) == spec
    assert mixture("gm-vae:labelled=100") == MixtureSpec(labelled=100)
    assert mixture("small-cnn") is None


def test_the_latent_has_a_unit_for_each_class_or_as_many_as_are_said():
    assert MixtureSpec().build((1, 8, 8), 7).decoder.latent == 7
    padded = MixtureSpec(units=9, entropy="variable").build((1, 8, 8), 7)
    assert padded.means.shape == (7, 9)
    assert padded.encoder.outputs == 18
    assert torch.equal(MixtureSpec(units=2, means="axis").build((1, 8, 8), 7).means[:, 1], torch.zeros(7))


def test_alpha_grows_with_the_numbers_of_an_image():
    spec = MixtureSpec(prior_weight=0.5)
    assert [spec.build(shape, 7).prior_weight for shape in ((1, 8, 8), (3, 8, 8))] == [32, 96]


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("gm-vae:unit=3", "option of classifier gm-vae: 'unit'"),
        ("gm-vae:networks=none", "autoencoder network 'none'"),
        ("gm-vae:labelled=-1", "labelled must be 0 or above, got -1"),
        ("gm-vae:means=ring", "means: 'ring'"),
    ],
)
def test_bad_descriptions_are_refused(text, said):
    with pytest.raises(InputError, match=said):
        mixture(text)
