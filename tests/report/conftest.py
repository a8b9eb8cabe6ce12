"""Records made by hand: which images survive is written down, so every number is known."""

import pytest
import torch

from purifold.engine.compose import Question, compose
from purifold.engine.scale import Scale
from purifold.engine.step import Resources
from purifold.evaluation.check import Check
from purifold.evaluation.outcome import Attacked, Outcome
from purifold.evaluation.record import Record
from purifold.report.results import Results
from purifold.threat import ThreatModel

IMAGES = 100
TINY = Scale(
    name="smoke", images=9, seen=1_100, encoded=2_200, epochs=1, draws=2, eot=2, audit=4, played=1_000
)
DEFENSES = ("none", "smoothing:size=3", "vae", "vae:beta=0.5")


def outcome(knowledge, epsilon, survivors, attack="pgd", difference=0.5):
    """All clean images are right; the first `survivors` stay right under attack."""
    labels = torch.zeros(IMAGES, dtype=torch.long)
    predictions = (torch.arange(IMAGES) >= survivors).long()[:, None]
    distance = torch.full((IMAGES,), difference * epsilon)
    attacked = Attacked(predictions, predictions, distance, torch.full((IMAGES,), epsilon), distance)
    return Outcome(
        ThreatModel("linf", epsilon), knowledge, "f00d", labels, labels[:, None], {attack: attacked}
    )


def made(defense, survivors, passed=True, attack="pgd"):
    """Survivors by (knowledge, epsilon)."""
    return Record(
        title="A study",
        command="purifold evaluate --data digits",
        created="2026-01-01T00:00:00+00:00",
        seconds=1.0,
        data={"name": "digits", "part": "test", "hash": "f00d", "count": IMAGES},
        classifier={"network": "small-cnn", "test_correct": 98, "test_images": 100},
        defense={"name": defense},
        attacks=("PGD()",),
        seed=0,
        draws=1,
        eot=1,
        checks=(Check("gradients exist", passed, "0 of 8", "all", "a hidden gradient"),),
        environment={"cpu": "a processor", "gpus": []},
        outcomes=tuple(
            outcome(knowledge, epsilon, count, attack) for (knowledge, epsilon), count in survivors.items()
        ),
    )


@pytest.fixture
def record():
    """Makes a record of a defense out of survivors by (knowledge, epsilon)."""
    return made


@pytest.fixture(scope="session")
def results():
    """Makes results of records, given by name or in a row, with nothing else but what is given."""
    rooms = ("galleries", "trainings", "measurements", "extents")

    def make(records=(), **given):
        if not isinstance(records, dict):
            records = {f"digits-{record.defense['name']}": record for record in records}
        return Results(records=records, **{room: {} for room in rooms} | given)

    return make


@pytest.fixture
def records():
    return [
        made(
            "none",
            {("oblivious", 0.1): 8, ("oblivious", 0.3): 0, ("adaptive", 0.1): 8, ("adaptive", 0.3): 0},
        ),
        made(
            "vae",
            {("oblivious", 0.1): 80, ("oblivious", 0.3): 60, ("adaptive", 0.1): 40, ("adaptive", 0.3): 1},
        ),
        made(
            "jpeg",
            {("oblivious", 0.1): 90, ("oblivious", 0.3): 10, ("adaptive", 0.1): 9, ("adaptive", 0.3): 0},
            passed=False,
        ),
    ]


@pytest.fixture(scope="package")
def systems():
    """Experiments of a classifier alone, a filter, a VAE and another, by name."""
    question = Question(data="digits", defenses=DEFENSES, attacks=("pgd",), epsilons=(0.1, 0.3))
    return dict(zip(("none", "filter", "vae", "bare vae"), compose(question, TINY, Resources()), strict=True))


@pytest.fixture
def kept(systems, record):
    """Records of them, of 100 images at a relative L2 difference of 0.05 and, where few are left, 0.15."""
    # at 0.1, by attackers who do not know the defense and who do
    survivors = {"none": (20, 20), "filter": (50, 15), "vae": (70, 35), "bare vae": (60, 5)}
    return {
        systems[name].name: record(
            name,
            {
                ("oblivious", 0.1): first,
                ("oblivious", 0.3): 2,
                ("adaptive", 0.1): second,
                ("adaptive", 0.3): 1,
            },
        )
        for name, (first, second) in survivors.items()
    }
