"""Reading recipes, and what options do to specifications, systems and descriptions."""

import pytest
import torch
from torch import nn

from purifold.autoencoders.spec import AutoencoderSpec
from purifold.data.split import Split
from purifold.defenses.base import Defended
from purifold.defenses.jpeg import JPEG
from purifold.defenses.recipe import Parts, parse
from purifold.errors import InputError

NETWORK = "ae-robustness"
SHAPE = (1, 8, 8)


def classifier():
    return nn.Sequential(nn.Flatten(), nn.Linear(64, 3)).eval()


def trained(recipe, latent=4):
    return [spec.build(SHAPE).eval() for spec in recipe.specs(network=NETWORK, latent=latent)]


def test_the_bare_classifier_gets_no_parts():
    network = classifier()
    defended = parse("none").build(network)
    assert isinstance(defended, Defended)
    assert defended.classifier is network
    assert defended.purifier is None
    assert len(defended.detectors) == 0


def test_options_of_the_assembly_reach_the_defense():
    defended = parse("jpeg:quality=75").build(classifier())
    assert isinstance(defended.purifier, JPEG)
    assert defended.purifier.quality == 75
    recipe = parse("vae:latent_scale=0.1,clip=2")
    purifier = recipe.build(classifier(), trained(recipe)).purifier
    assert (purifier.latent_scale, purifier.clip) == (0.1, 2.0)


def test_options_of_autoencoders_reach_each_specification():
    (spec,) = parse("dvae:beta=0.5,latent=64,network=patch-vae-mnist").specs(network=NETWORK, latent=4)
    assert isinstance(spec, AutoencoderSpec)
    assert (spec.kind, spec.beta, spec.latent, spec.network) == ("variational", 0.5, 64, "patch-vae-mnist")
    assert spec.noise_std == parse("dvae").specs(network=NETWORK, latent=4)[0].noise_std > 0
    assert [spec.latent for spec in parse("ensemble:latent=9").specs(network=NETWORK, latent=4)] == [9] * 4


def test_an_option_holds_only_for_the_autoencoders_that_have_it():
    assert [spec.beta for spec in parse("ensemble:beta=0.5").specs(network=NETWORK, latent=4)] == [
        1,
        1,
        0.5,
        0.5,
    ]
    assert "beta" not in parse("ae").describe()["autoencoders"][0]
    with pytest.raises(InputError, match="unknown option of defense dae: 'beta'"):
        parse("dae:beta=0.5")


def test_the_data_set_decides_what_no_option_sets():
    (spec,) = parse("ae").specs(network=NETWORK, latent=4)
    assert (spec.network, spec.latent) == (NETWORK, 4)
    assert (spec.noise_std, spec.contractive_weight) == (0, 0)


def test_the_ensemble_trains_nothing_but_what_its_members_train():
    members = [parse(name).specs(network=NETWORK, latent=4) for name in ("ae", "dae", "vae", "dvae")]
    assert parse("ensemble").specs(network=NETWORK, latent=4) == sum(members, ())


def test_options_not_set_keep_their_place_in_the_description():
    assert parse("jpeg").describe() == {"name": "jpeg", "options": {"quality": 23}, "autoencoders": []}
    assert parse("jpeg:quality=23").describe() == parse("jpeg").describe()
    described = parse("vae:beta=0.5").describe()
    assert described["options"] == {"latent_scale": 1.0, "clip": "inf"}
    (autoencoder,) = described["autoencoders"]
    assert autoencoder["kind"] == "variational"
    assert autoencoder["beta"] == 0.5
    assert autoencoder["noise_std"] == 0
    assert "latent" not in autoencoder
    assert parse("vae:latent=8").describe()["autoencoders"][0]["latent"] == 8


def test_a_description_changes_with_every_option():
    texts = [
        "vae",
        "vae:latent_scale=0.5",
        "vae:clip=5",
        "vae:beta=2",
        "vae:latent=3",
        "dvae",
        "vae:noise_std=0.3",
    ]
    descriptions = [str(parse(text).describe()) for text in texts]
    assert len(set(descriptions)) == len(texts)


def test_options_set_one_after_the_other_are_those_set_at_once():
    recipe = parse("vae").with_options(beta=0.5).with_options(latent_scale=0.1)
    assert recipe == parse("vae:latent_scale=0.1,beta=0.5")
    assert str(recipe) == "vae:beta=0.5,latent_scale=0.1"
    assert recipe.with_options(beta=1.0) == parse("vae:latent_scale=0.1,beta=1")
    assert parse("vae").chosen == ()


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("jpg", "unknown defense 'jpg'; did you mean 'jpeg'"),
        ("jpeg:qualty=3", "unknown option of defense jpeg: 'qualty'; did you mean 'quality'"),
        ("jpeg:beta=3", "unknown option of defense jpeg: 'beta'"),
        ("none:quality=3", "there are: none"),
        ("ae:latent_scale=1", "unknown option of defense ae: 'latent_scale'"),
        ("vae:kind=plain", "unknown option of defense vae: 'kind'"),
        ("jpeg:quality", "must be name=value, each once, got 'quality'"),
        ("jpeg:quality=3,quality=4", "must be name=value, each once, got 'quality=4'"),
        ("jpeg:quality=3,", "must be name=value, each once, got ''"),
        ("jpeg:quality=high", "defense jpeg: option quality must be int, got 'high'"),
        ("ae-detector:order=3", "unknown value of option order: '3'"),
    ],
)
def test_text_that_names_nothing_is_refused_in_one_line(text, message):
    with pytest.raises(InputError, match=message) as caught:
        parse(text)
    assert "\n" not in str(caught.value)


def test_the_detector_is_calibrated_on_the_clean_images_alone():
    generator = torch.Generator().manual_seed(0)
    pixels = torch.randint(256, (200, *SHAPE), generator=generator).byte()
    clean = Split("photos/validation", pixels, torch.zeros(200, dtype=torch.int64), ("a", "b", "c"))
    for rate in (0.01, 0.1):
        recipe = parse(f"ae-detector:false_positive_rate={rate}")
        defended = recipe.build(classifier(), trained(recipe), clean)
        assert int((defended.predict(clean.images()) == -1).sum()) == round(200 * rate)


@pytest.mark.parametrize(("rate", "least"), [(0.1, 64), (0.01, 100), (0.003, 334), (0.001, 1000)])
def test_it_says_how_many_clean_images_its_thresholds_need(rate, least):
    """So many and no fewer resolve the rate; 64 where fewer would do."""
    recipe = parse(f"ae-detector:false_positive_rate={rate}")
    assert recipe.least == least
    pixels = torch.randint(256, (least, *SHAPE)).byte()
    clean = Split("photos/validation", pixels, torch.zeros(least, dtype=torch.int64), ("a", "b", "c"))
    assert recipe.build(classifier(), trained(recipe), clean).detectors[0].threshold.isfinite()
    if least > 64:
        with pytest.raises(InputError, match=f"pass at least {least}"):
            recipe.build(classifier(), trained(recipe), clean.first(least - 1))
    assert parse("jpeg").least == 64


def test_a_detector_without_clean_images_is_refused():
    recipe = parse("ae-detector")
    with pytest.raises(InputError, match="clean must be held-out clean images"):
        recipe.build(classifier(), trained(recipe))


def test_an_autoencoder_in_training_mode_is_refused():
    recipe = parse("ae")
    with pytest.raises(InputError, match="trained is in training mode"):
        recipe.build(classifier(), [autoencoder.train() for autoencoder in trained(recipe)])


def test_parts_without_clean_images_say_so():
    with pytest.raises(InputError, match="got None"):
        Parts(classifier(), (), None).clean_images()
