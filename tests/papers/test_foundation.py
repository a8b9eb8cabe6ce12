"""The base study: what it follows, and the attacker that its source lacks."""

from purifold.engine.scale import SCALES
from purifold.papers.library import paper


def test_the_foundation_prints_what_patch_vae_prints():
    cells = {
        (cell.attack, cell.relative_l2, cell.defense): cell.accuracy for cell in paper("foundation").printed()
    }
    assert cells["fgsm", 0.22, "vae"] == 0.896  # Luo and Pfister, Table 4, fifth line
    assert cells["fgsm", 0.22, "jpeg:quality=23"] == 0.686


def test_every_budget_is_tried_without_and_with_knowledge_of_the_defense(mnist_like):
    study = paper("foundation").study(SCALES["smoke"], mnist_like, 5)
    assert [found.system.defense for found in study.experiments] == ["none", "jpeg:quality=23", "vae"]
    for experiment in study.experiments:
        assert experiment.epsilons[-1] == 0.3
        judged = {(outcome.knowledge, outcome.threat.epsilon) for outcome in experiment.judged}
        assert judged == {
            (level, epsilon) for level in ("oblivious", "adaptive") for epsilon in experiment.epsilons
        }
        assert experiment.seed == 5
