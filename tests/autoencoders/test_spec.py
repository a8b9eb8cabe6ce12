import dataclasses
import json
import math

import jaxtyping
import pytest
import torch

from purifold.autoencoders.plain import PlainAutoencoder
from purifold.autoencoders.spec import AutoencoderSpec
from purifold.autoencoders.variational import VariationalAutoencoder
from purifold.errors import InputError
from purifold.networks.base import autoencoder_names

VAE = AutoencoderSpec(
    kind="variational",
    network="patch-vae-mnist",
    latent=4,
    noise_std=0.25,
    denoising=True,
    contractive_weight=0.5,
    projections=2,
    reconstruction="squared",
    beta=0.5,
    latent_clip=5.0,
)
AE = AutoencoderSpec(kind="plain", network="ae-robustness", latent=3)
SIZES = {"patch-vae-16": 16, "patch-vae-32": 32, "patch-vae-64": 64}


@pytest.mark.parametrize("spec", [VAE, AE])
def test_a_specification_comes_back_from_strict_json(spec):
    text = json.dumps(spec.as_json(), allow_nan=False)
    assert AutoencoderSpec.from_json(json.loads(text)) == spec


def test_every_field_reaches_the_autoencoder():
    built = VAE.build((1, 8, 8))
    assert isinstance(built, VariationalAutoencoder)
    assert built.latent_size == VAE.latent
    for field in dataclasses.fields(VAE)[3:]:
        assert getattr(built, field.name) == getattr(VAE, field.name)
    assert isinstance(AE.build((1, 8, 8)), PlainAutoencoder)
    assert AE.build((1, 8, 8)).reconstruction == "bce"


@pytest.mark.parametrize("kind", ["plain", "variational"])
@pytest.mark.parametrize("network", autoencoder_names())
def test_every_network_serves_both_kinds(network, kind):
    shape = (3, SIZES.get(network, 8), SIZES.get(network, 8))
    autoencoder = AutoencoderSpec(kind=kind, network=network, latent=2).build(shape)
    images = torch.rand(2, *shape)
    assert autoencoder.shape == shape
    assert autoencoder.encode(images).shape == (2, 2)
    assert autoencoder.reconstruct(images).shape == images.shape
    assert autoencoder.loss(images).isfinite().all()


def test_weights_are_drawn_from_torchs_generator():
    states = []
    for seed in (3, 3, 4):
        torch.manual_seed(seed)
        states.append(AE.build((1, 8, 8)).state_dict())
    assert all(torch.equal(states[0][name], states[1][name]) for name in states[0])
    assert any((states[0][name] != states[2][name]).any() for name in states[0])


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"kind": "contractive"}, "unknown kind of autoencoder 'contractive'"),
        ({"network": "gm-vea"}, "did you mean 'gm-vae'"),
        ({"latent": 0}, "latent must be 1 or above, got 0"),
        ({"latent": 2.5}, "latent must be int, got 2.5"),
        ({"latent": True}, "latent must be int, got True"),
        ({"denoising": 1}, "denoising must be bool, got 1"),
        ({"noise_std": "0.1"}, "noise_std must be float, got '0.1'"),
        ({"noise_std": -1.0}, "noise_std must be 0 or above"),
        ({"reconstruction": "l1"}, "unknown reconstruction loss 'l1'"),
        ({"beta": 0.5}, "beta is of variational autoencoders only"),
        ({"latent_clip": 5.0}, "latent_clip is of variational autoencoders only"),
        ({"projections": 2}, "projections estimate the contractive penalty"),
    ],
)
def test_fields_that_are_wrong_or_not_honoured_are_refused(change, message, monkeypatch):
    monkeypatch.setattr(jaxtyping.config, "jaxtyping_disable", True)  # the class has to refuse by itself
    with pytest.raises(InputError, match=message):
        AutoencoderSpec.from_json(AE.as_json() | change)


def test_a_record_with_a_strange_or_missing_field_is_refused():
    with pytest.raises(InputError, match="unknown field of an autoencoder 'betta'; did you mean 'beta'"):
        AutoencoderSpec.from_json(AE.as_json() | {"betta": 1.0})
    record = AE.as_json()
    del record["latent"]
    with pytest.raises(InputError, match="latent is missing"):
        AutoencoderSpec.from_json(record)


def test_an_unset_clip_is_infinite():
    assert math.inf == AE.latent_clip
    assert AE.as_json()["latent_clip"] == "inf"
