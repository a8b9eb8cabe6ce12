"""A classifier trained on attacked images keeps more of them."""

import pytest

from purifold.attacks.base import Attack
from purifold.attacks.fgsm import FGSM
from purifold.attacks.pgd import PGD
from purifold.engine.step import Resources
from purifold.engine.steps.train_adversarial import TrainAdversarial
from purifold.engine.steps.train_classifier import TrainClassifier
from purifold.threat import ThreatModel
from purifold.training.adversarial import AdversarialSpec
from purifold.training.config import TrainingConfig


def test_a_classifier_trained_on_attacked_images_keeps_more_of_them(data, finished):
    """Against FGSM at the budget that it was trained for, the attacker knowing each."""
    config = TrainingConfig(epochs=8, optimizer="adam", learning_rate=3e-3)
    spec = AdversarialSpec(classifier="mlp", epsilon=0.15)
    plain = TrainClassifier(data=data, images=1_100, network="mlp", config=config, seed=0)
    hardened = TrainAdversarial(data=data, images=1_100, spec=spec, config=config, seed=0)
    test, threat = data.part("test", Resources(), 200), ThreatModel("linf", 0.15)
    kept = {}
    for step in (plain, hardened):
        model = step.load(finished(step)[1])
        attacked = FGSM()(model, test.images(), test.labels, threat)
        kept[step.kind] = (model(attacked).argmax(dim=1) == test.labels).float().mean().item()
    assert kept["train-adversarial"] > kept["train-classifier"] + 0.1


@pytest.mark.parametrize(("method", "attack"), [("fgsm", PGD(steps=1, step=1.25)), ("pgd", PGD(steps=3))])
def test_it_is_trained_on_the_attack_of_its_description_at_its_budget(
    data, finished, monkeypatch, method, attack
):
    seen, run = [], Attack.__call__

    def noted(self, model, images, labels, threat, **rest):
        attacked = run(self, model, images, labels, threat, **rest)
        seen.append((self, threat, model.training, len(images)))
        return attacked

    monkeypatch.setattr(Attack, "__call__", noted)
    spec = AdversarialSpec(classifier="mlp", epsilon=0.15, method=method, steps=3)
    config = TrainingConfig(epochs=1, batch_size=32, optimizer="adam", learning_rate=1e-3)
    finished(TrainAdversarial(data=data, images=64, spec=spec, config=config, seed=0))
    assert set(seen[:2]) == {(attack, ThreatModel("linf", 0.15), False, 32)}
