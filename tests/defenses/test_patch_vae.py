"""The recipes of `patch-vae` beside their parts put together by hand."""

import pytest
import torch
from torch import nn

from purifold.autoencoders.patch_spec import PatchSpec
from purifold.defenses.patchwise import Patchwise
from purifold.defenses.recipe import parse
from purifold.defenses.reconstruction import Reconstruction
from purifold.defenses.smoothing import Smoothing
from purifold.errors import InputError
from purifold.randomness import seeded

SHAPE = (3, 70, 75)


def trained(*specs):
    with seeded(0):
        return [spec.build(SHAPE).eval().requires_grad_(False) for spec in specs]


def purifier(text, autoencoders):
    return parse(text).build(nn.Identity().eval(), autoencoders).purifier


def alone(autoencoder, stride, **options):
    return Patchwise(Reconstruction(autoencoder), patch=autoencoder.shape[1], stride=stride, **options)


def test_the_recipe_is_patches_then_the_filter():
    images = torch.rand(2, *SHAPE)
    autoencoders = trained(PatchSpec(patch=8, latent=4))
    found = purifier("patch-vae:patch=8,stride=4,window=hann,latent_scale=0", autoencoders)
    assert torch.equal(found(images), Smoothing()(alone(autoencoders[0], 4, window="hann")(images)))
    bare = purifier("patch-vae:patch=8,stride=4,smoothing=none,latent_scale=0", autoencoders)
    assert torch.equal(bare(images), alone(autoencoders[0], 4)(images))


def test_the_ensemble_is_the_mean_of_the_paper_s_four_sizes_and_strides():
    images = torch.rand(1, *SHAPE)
    small, middle, large = autoencoders = trained(*parse("patch-ensemble").specs())
    members = [alone(small, 16), alone(middle, 32), alone(large, 32), alone(large, 64)]
    smoothed = torch.stack([Smoothing()(member(images)) for member in members])
    found = purifier("patch-ensemble:latent_scale=0", autoencoders)
    torch.testing.assert_close(found(images), smoothed.mean(dim=0), atol=1e-6, rtol=0)


def test_the_ensemble_s_sizes_are_no_options():
    specs = parse("patch-ensemble:beta=0.5").specs()
    assert [(spec.patch, spec.latent, spec.beta) for spec in specs] == [
        (16, 512, 0.5),
        (32, 512, 0.5),
        (64, 1024, 0.5),
    ]
    with pytest.raises(InputError, match="unknown option of defense patch-ensemble: 'patch'"):
        parse("patch-ensemble:patch=8")


def test_the_clip_bounds_the_draws():
    images = torch.rand(1, *SHAPE)
    autoencoders = trained(PatchSpec(patch=8, latent=4))
    still, clipped, free = (
        purifier(f"patch-vae:patch=8,stride=8,{options}", autoencoders)
        for options in ("latent_scale=0", "clip=1e-9", "clip=5")
    )
    with seeded(1):
        torch.testing.assert_close(clipped(images), still(images), atol=1e-6, rtol=0)
    with seeded(1):
        assert not torch.allclose(free(images), still(images), atol=1e-4)
