"""The audit hands the checks what was evaluated, and the classifier as it was without the defense."""

from dataclasses import asdict

import pytest
import torch

from purifold.engine.step import Resources
from purifold.engine.steps import audit
from purifold.engine.steps.judge import read_outcome
from purifold.evaluation.check import Check

CHECKS = [Check("a", True, "1 of 2", "2", "why"), Check("b", None, "nothing", "x", "y")]


@pytest.fixture(scope="module")
def handed(tiny, composed, finished):
    """What the checks were called with, the step, a bench and the checks read back."""
    scale = tiny(images=6, seen=2_200, epochs=2)
    (experiment,) = composed(
        scale, defenses=("adversarial-fgsm",), attacks=("fgsm",), epsilons=(0.1, 0.3), seed=7
    )
    calls = []
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(audit, "sanity", lambda *given, **named: calls.append((given, named)) or CHECKS)
        store, bench = finished(experiment.doubted, *experiment.judged, *experiment.trainings())
    ((given, named),) = calls
    return given, named, experiment, bench, audit.read_checks(store.fetch(experiment.doubted))


def test_the_checks_are_read_back_as_they_were(handed):
    assert [asdict(check) for check in handed[4]] == [asdict(check) for check in CHECKS]


def test_the_largest_budget_all_outcomes_and_the_same_images_are_checked(handed):
    (_, split, attacks, threat, outcomes), named, experiment, bench, _ = handed
    assert (threat.norm, threat.epsilon, attacks) == ("linf", 0.3, experiment.attacks)
    assert split.hash == experiment.system.data.part("test", Resources(), 6).hash
    expected = [read_outcome(bench.artefact(judged)) for judged in experiment.judged]
    assert [(found.threat, found.knowledge) for found in outcomes] == [
        (found.threat, found.knowledge) for found in expected
    ]
    assert len(outcomes) == 4
    assert (named["seed"], named["images"], named["eot"]) == (7, experiment.audit, experiment.eot)


def test_the_bare_classifier_is_the_one_that_was_not_hardened(handed):
    (defended, *_), named, experiment, bench, _ = handed
    (hardening,) = experiment.system.autoencoders
    for model, step in ((named["bare"], experiment.system.classifier), (defended.classifier, hardening)):
        weights = step.load(bench).state_dict()
        assert all(torch.equal(weights[name], value) for name, value in model.state_dict().items())
