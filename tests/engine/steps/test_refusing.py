"""Steps that look at a system that may refuse: forgeries, floods, unseen inputs, risk and coverage."""

import pytest
import torch

from purifold.attacks.descent import Descent
from purifold.attacks.pgd import PGD
from purifold.defenses.base import REJECTED
from purifold.engine.step import Resources
from purifold.engine.steps.flood import Flood, read_flooded
from purifold.engine.steps.forgery import Forgery, first_of_each, read_forged, read_forged_pictures
from purifold.engine.steps.selection import Selection, read_selection
from purifold.engine.steps.unseen import Unseen, fitted, noise, read_accepted
from purifold.errors import InputError
from purifold.evaluation.conflict import Conflict
from purifold.evaluation.selection import ranked, strictness, suspicions
from purifold.threat import ThreatModel

HERE = Resources()
DESCENTS = (Descent(steps=10), Descent(steps=40, nearness=0.0))
FAR, NEAR = ThreatModel("linf", 0.4), ThreatModel("linf", 1e-6)


@pytest.fixture(scope="module")
def made(tiny, composed, finished):
    """What every step left, the steps by name, and the trained system."""
    scale = tiny(images=60, seen=11_000, encoded=11_000, epochs=10)
    (experiment,) = composed(
        scale, classifier="gm-vae", defenses=("gm-vae",), attacks=("fgsm",), epsilons=(0.3,)
    )
    system, craft = experiment.system, experiment.crafts("oblivious", experiment.judged[0].threat)[0]
    steps = {
        "forged": Forgery(system=system, each=2, rubbish=False, descents=DESCENTS, seed=0),
        "from noise": Forgery(system=system, each=3, rubbish=True, descents=DESCENTS, seed=0),
        "far": Flood(system=system, count=40, attack=PGD(steps=5), threat=FAR, seed=0),
        "near": Flood(system=system, count=40, attack=PGD(steps=5), threat=NEAR, seed=0),
        "noise": Unseen(system=system, source="uniform", count=50, seed=0),
        "itself": Unseen(system=system, source=system.data, count=50, seed=0),
        "clean": Selection(system=system, count=60, craft=None),
        "attacked": Selection(system=system, count=60, craft=craft),
    }
    store, bench = finished(*steps.values(), *experiment.trainings(), craft)
    return {name: store.fetch(step) for name, step in steps.items()}, steps, system.build(bench)


def test_every_forgery_counts_once(made):
    found, steps, _ = made
    images = read_forged(found["forged"])
    test = steps["forged"].system.data.part("test", HERE)
    chosen = first_of_each(test, 2)
    assert images.tried == 9 * len(chosen) == 9 * 20
    assert images.target + images.wrong + images.right + images.rejected == images.tried
    assert chosen.labels.bincount().tolist() == [2] * 10
    rubbish = read_forged(found["from noise"])
    assert rubbish.tried == 30
    assert rubbish.right == 0


def test_a_picture_of_a_forgery_is_what_the_system_answered(made):
    found, _, system = made
    pictures = read_forged_pictures(found["forged"])
    forged = torch.from_numpy(pictures["forged"]).permute(0, 3, 1, 2) / 255
    accepted = pictures["answers"] != REJECTED
    again = system.predict(forged).numpy()
    assert (again[accepted] == pictures["answers"][accepted]).mean() > 0.8  # pictures are rounded
    assert (pictures["targets"] == range(10)).all()
    assert (pictures["labels"] != pictures["targets"]).all()


@torch.no_grad()
def test_the_penalty_is_equation_10(made):
    _, steps, system = made
    images = steps["clean"].system.data.part("test", HERE, 5).images()
    conflict = Conflict(system)
    latent, output = system.detectors
    codes = system.classifier.encode(images)
    off = codes - system.classifier.means[3]
    distance = (off @ latent.precision * off).sum(dim=1) / latent.threshold
    error = output(images) / output.threshold
    torch.testing.assert_close(conflict.penalty(3)(images), error**2 + distance**2, rtol=1e-4, atol=1e-4)
    fooled = conflict.fooled(torch.full((5,), REJECTED))
    assert torch.equal(fooled(images), system.predict(images) != REJECTED)


def test_a_wide_budget_makes_the_system_refuse_and_a_tiny_one_does_not(made):
    found, _, _ = made
    far, near = read_flooded(found["far"]), read_flooded(found["near"])
    assert far.images == near.images == 40
    assert far.accepted == near.accepted > 0
    assert near.refused == 0
    assert far.refused > 0.9 * far.accepted


def test_its_own_images_are_accepted_and_noise_is_not(made):
    found, steps, system = made
    images = steps["itself"].system.data.part("test", HERE, 50).images()
    itself = read_accepted(found["itself"])
    assert itself.trials == 50
    assert itself.successes == int((system.predict(images) != REJECTED).sum())
    assert read_accepted(found["noise"]).successes == int(
        (system.predict(noise("uniform", 50, (1, 8, 8), 0)) != REJECTED).sum()
    )


def test_the_curve_is_that_of_the_detectors(made):
    found, steps, system = made
    data = steps["clean"].system.data
    split, clean = data.part("test", HERE, 60), data.part("validation", HERE).images()
    strict = strictness(suspicions(system, split.images()), suspicions(system, clean))
    right = system(split.images()).argmax(dim=1) == split.labels
    expected, curve = ranked(strict, right), read_selection(found["clean"])
    torch.testing.assert_close(curve.coverage, expected.coverage)
    torch.testing.assert_close(curve.risk, expected.risk)
    assert read_selection(found["attacked"]).area > curve.area


def test_other_images_are_made_to_fit():
    photos = torch.rand(2, 3, 16, 16, generator=torch.Generator().manual_seed(0))
    grey = fitted(photos, (1, 8, 8))
    expected = torch.nn.functional.avg_pool2d(photos.mean(dim=1, keepdim=True), 2)
    assert grey.shape == (2, 1, 8, 8)
    assert (grey - expected).abs().mean() < 0.1
    assert torch.equal(fitted(grey, (1, 8, 8)), grey)
    assert fitted(grey, (3, 8, 8)).shape == (2, 3, 8, 8)
    assert 0.2 < float(noise("gaussian", 100, (1, 8, 8), 0).std()) < 0.26
    with pytest.raises(InputError, match="unknown noise 'pink'"):
        noise("pink", 1, (1, 8, 8), 0)
