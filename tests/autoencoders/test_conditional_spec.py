"""Descriptions of class-conditional autoencoders: what they say reaches what is built."""

from dataclasses import fields

import jaxtyping
import pytest
import torch

from purifold.autoencoders.conditional_spec import ConditionalSpec
from purifold.errors import InputError
from purifold.networks.puvae import PlanesEncoder, PuvaeEncoder
from purifold.options import counts

SPEC = ConditionalSpec(
    latent=3, rc_weight=0.5, kl_weight=2.0, ce_weight=7.0, pixels="mean", units="sum", label="planes"
)


def test_every_field_reaches_the_autoencoder():
    built = SPEC.build((3, 8, 8), 5)
    for name in ("rc_weight", "kl_weight", "ce_weight", "pixels", "units"):
        assert getattr(built, name) == getattr(SPEC, name)
    assert (built.shape, built.classes, built.encoder.latent) == ((3, 8, 8), 5, 3)
    assert isinstance(built.encoder, PlanesEncoder)
    assert isinstance(ConditionalSpec().build((1, 8, 8), 2).encoder, PuvaeEncoder)


def test_a_latent_unit_more_is_two_outputs_of_the_encoder_and_an_input_of_the_decoder_more():
    first, second = (ConditionalSpec(latent=latent).build((1, 8, 8), 2) for latent in (4, 5))
    (mean, spread) = second.encoder(torch.rand(2, 1, 8, 8), torch.tensor([0, 1]))
    assert mean.shape == spread.shape == (2, 5)
    assert first.encoder.latent == first.decoder.latent == 4


def test_where_the_label_enters_counts_only_where_it_is_not_the_dense_layer():
    counted = {
        spec.label: {entry.name for entry in fields(spec) if counts(entry, spec)}
        for spec in (ConditionalSpec(), SPEC)
    }
    assert counted["planes"] - counted["dense"] == {"label"}
    assert len(counted["planes"]) == len(fields(SPEC))


@pytest.mark.parametrize(
    ("wrong", "says"),
    [
        ({"latent": 0}, "latent must be 1 or above, got 0"),
        ({"label": "plane"}, "did you mean 'planes'"),
        ({"pixels": "max"}, "max"),
        ({"kl_weight": -1.0}, "kl_weight"),
    ],
)
def test_what_nothing_can_be_built_from_is_refused(wrong, says, monkeypatch):
    monkeypatch.setattr(jaxtyping.config, "jaxtyping_disable", True)  # the class has to refuse by itself
    with pytest.raises(InputError, match=says):
        ConditionalSpec(**wrong)
