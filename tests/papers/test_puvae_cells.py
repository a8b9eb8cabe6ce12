"""The grid of `puvae` against what the paper prints of its attacks."""

import math
from dataclasses import replace

import pytest

from purifold.engine.compose import attack
from purifold.engine.scale import SCALES
from purifold.papers.puvae_cells import SEARCHES, SEARCHING, SUBJECTS

PAPER = {subject.data: subject for subject in SUBJECTS["paper"]}


@pytest.mark.parametrize(
    ("data", "epsilon", "first_step"),
    [("mnist", 0.3, 0.05), ("fashion-mnist", 0.3, 0.05), ("cifar-10", 0.06, 0.005)],
)
def test_budgets_and_random_steps_are_those_of_the_paper(data, epsilon, first_step):
    subject = PAPER[data]
    assert subject.epsilon == epsilon
    chosen = attack(subject.attacks["rand-fgsm-targeted"])
    assert chosen.noise_share * subject.epsilon == pytest.approx(first_step)
    assert all(attack(text).targeted for text in subject.attacks.values())


def test_the_whole_test_part_is_attacked_at_the_papers_size_and_never_more_where_less_is_known():
    assert {subject.images[0] for subject in PAPER.values()} == {10_000}
    for subjects in SUBJECTS.values():
        for subject in subjects:
            assert subject.images[0] >= subject.images[1] >= subject.searched[1]
            counts = [subject.images[0], *subject.searched]
            assert counts == sorted(counts, reverse=True)


def test_adversarial_training_and_the_attacks_share_a_budget(cell):
    trained = {
        name: training.spec
        for name, experiment in cell.inside.items()
        for training in experiment.system.autoencoders
        if training.kind == "train-adversarial"
    }
    methods = {name: (spec.method, spec.epsilon) for name, spec in trained.items()}
    assert methods == {
        "adversarial-training": ("fgsm", cell.subject.epsilon),
        "adversarial-training, PGD": ("pgd", cell.subject.epsilon),
    }


def test_who_does_not_know_the_defense_has_the_papers_attacks_and_no_bound_on_cw(cell):
    for name, pace in cell.paces.items():
        wanted = cell.subject.searched if name in SEARCHES else cell.subject.images
        assert pace.count == wanted[0]
        budgets = {craft.attack.label: (craft.threat.norm, craft.threat.epsilon) for craft in pace.crafts}
        assert budgets == {
            "fgsm-targeted": ("linf", 0.3),
            "i-fgsm-targeted": ("linf", 0.3),
            "rand-fgsm-targeted": ("linf", 0.3),
            "cw-l2": ("l2", math.inf),
        }
        assert all(craft.system.defense == "none" for craft in pace.crafts)


def test_who_knows_the_defense_is_judged_inside_both_budgets(cell):
    assert set(cell.inside) == set(cell.nearest) == set(cell.subject.defenses)
    for experiment in cell.inside.values():
        assert (experiment.norm, experiment.epsilons) == ("linf", (cell.subject.epsilon,))
        assert "pgd" in {attack.name for attack in experiment.attacks}
    for experiment in cell.nearest.values():
        assert (experiment.norm, experiment.epsilons) == ("l2", (cell.subject.bounded,))
        assert (experiment.knowledge, experiment.audit) == (("adaptive",), 0)


def test_defense_gan_is_judged_on_fewer_images_once_and_the_others_over_draws(cell):
    searched, purified = cell.inside[SEARCHING], cell.inside["puvae"]
    assert (searched.count, searched.draws, searched.audit) == (cell.subject.searched[1], 1, 0)
    assert (purified.count, purified.draws) == (cell.subject.images[1], SCALES["smoke"].draws)
    assert purified.audit > 0
    assert (searched.averaged, purified.averaged) == ((), ("pgd",))
    brief, whole = cell.nearest[SEARCHING], cell.nearest["puvae"]
    assert (brief.count, whole.count) == (cell.subject.searched[2], cell.subject.images[1])
    ((brief_attack,), (whole_attack,)) = brief.attacks, whole.attacks
    assert brief_attack == replace(whole_attack, descents=1)


def test_only_puvae_has_a_gallery(cell):
    shown = {name for name, experiment in cell.inside.items() if experiment.shown is not None}
    assert shown == {"puvae"}
    assert not any(experiment.pictures for experiment in cell.nearest.values())
