"""The recipes of a Gaussian-mixture VAE: their thresholds, and what each does with rejected images."""

import pytest
import torch
from scipy.stats import chi2

from purifold.autoencoders.mixture_spec import MixtureSpec
from purifold.data.split import Split
from purifold.defenses.base import REJECTED
from purifold.defenses.gm_vae import three_sigma
from purifold.defenses.latent_search import LatentSearch
from purifold.defenses.recipe import parse
from purifold.errors import InputError
from purifold.evaluation.evasion import suspicion
from purifold.randomness import seeded

SHAPE, CLASSES = (1, 8, 8), 3


@pytest.fixture
def autoencoder():
    with seeded(0):
        return MixtureSpec().build(SHAPE, CLASSES).eval().requires_grad_(False)


@pytest.fixture
def clean():
    pixels = torch.randint(256, (1000, *SHAPE), generator=torch.Generator().manual_seed(1)).byte()
    return Split("random/validation", pixels, torch.zeros(1000, dtype=torch.int64), ("a", "b", "c"))


def test_the_papers_thresholds_are_three_sigma(autoencoder, clean):
    latent, output = parse("gm-vae").build(autoencoder, (), clean).detectors
    assert float(latent.threshold) == pytest.approx(chi2.ppf(0.9973, CLASSES))
    images = clean.images()
    errors = (autoencoder.reconstruct(images) - images).square().flatten(1).mean(dim=1)
    assert float(output.threshold) == pytest.approx(float(errors.mean() + 3 * errors.std()), rel=1e-5)


def test_a_rate_sets_both_thresholds_by_the_quantile(autoencoder, clean):
    system = parse("gm-vae:rule=quantile,false_positive_rate=0.02").build(autoencoder, (), clean)
    for detector in system.detectors:
        assert int((~detector.accepts(clean.images())).sum()) == 20


def test_a_decision_encodes_an_image_once(autoencoder, clean):
    system, images = parse("gm-vae").build(autoencoder, (), clean), clean.images()[:10]
    encoded = []
    autoencoder.encoder.register_forward_pre_hook(lambda module, given: encoded.append(len(given[0])))
    system.predict(images)
    assert encoded == [10]


def test_three_sigma_of_constant_scores_rejects_none(autoencoder, clean):
    detector = parse("gm-vae").build(autoencoder, (), clean).detectors[1]
    same = clean.images()[:1].repeat(10, 1, 1, 1)
    three_sigma(detector, same)
    assert detector.accepts(same).all()


def test_rejected_images_are_answered_as_the_option_says(autoencoder, clean):
    images = clean.images()[:40]
    rate = "rule=quantile,false_positive_rate=0.5"
    systems = {
        second: parse(f"gm-vae:{rate},reclassify={second}{steps}").build(autoencoder, (), clean)
        for second, steps in (("never", ""), ("refusing", ",steps=3"), ("always", ",steps=3"))
    }
    rejected = systems["never"].predict(images) == REJECTED
    assert 0 < int(rejected.sum()) < 40
    always = systems["always"].predict(images)
    assert (always != REJECTED).all()
    assert (always[rejected] == LatentSearch(autoencoder, steps=3)(images[rejected])).all()
    refusing = systems["refusing"].predict(images)
    assert ((refusing == REJECTED) <= rejected).all()
    for found in (always, refusing):
        assert (found[~rejected] == systems["never"].predict(images)[~rejected]).all()


def test_the_decoder_alone_may_answer_every_image(autoencoder, clean):
    images = clean.images()[:40]
    rejecting = parse("gm-vae:rule=all").build(autoencoder, (), clean)
    assert (rejecting.predict(images) == REJECTED).all()
    doubt = suspicion(images, list(rejecting.detectors))
    assert (doubt > 0).all()
    assert doubt.isfinite().all()
    system = parse("gm-vae:rule=all,reclassify=always,steps=3").build(autoencoder, (), clean)
    assert (system.predict(images) == LatentSearch(autoencoder, steps=3)(images)).all()


@pytest.mark.parametrize("rule", ["three-sigma", "all"])
def test_a_rate_is_refused_where_no_threshold_is_set_by_one(autoencoder, clean, rule):
    with pytest.raises(InputError, match="of thresholds by rule=quantile"):
        parse(f"gm-vae:rule={rule},false_positive_rate=0.02").build(autoencoder, (), clean)


@pytest.mark.parametrize("options", ["steps=3", "objective=distance"])
@pytest.mark.parametrize("name", ["gm-vae", "mixture-detector"])
def test_options_of_a_second_look_are_refused_where_there_is_none(autoencoder, clean, name, options):
    beside = (torch.nn.Identity().eval(), (autoencoder,))
    protected, trained = (autoencoder, ()) if name == "gm-vae" else beside
    with pytest.raises(InputError, match=f"defense {name}: steps and objective are of a second look"):
        parse(f"{name}:{options}").build(protected, trained, clean)
    parse(f"{name}:{options},reclassify=always").build(protected, trained, clean)


def test_behind_another_classifier_its_answers_stand_where_both_detectors_accept(autoencoder, clean):
    class Zero(torch.nn.Module):
        def forward(self, images):
            return torch.eye(CLASSES)[torch.zeros(len(images), dtype=torch.long)]

    system = parse("mixture-detector").build(Zero().eval(), (autoencoder,), clean)
    assert [detector.name for detector in system.detectors] == ["latent-distance", "reconstruction-error"]
    predictions = system.predict(clean.images()[:100])
    assert set(predictions.tolist()) <= {0, REJECTED}
    assert (predictions == 0).any()
