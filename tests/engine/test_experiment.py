"""Experiments: what they share, that they run once, and that they say what the library says."""

import math
from dataclasses import replace

import pytest
import torch

from purifold.engine.compose import Question, attack, compose
from purifold.engine.local import run
from purifold.engine.plan import plan
from purifold.engine.scale import Scale
from purifold.engine.step import Resources
from purifold.engine.steps.craft import Craft
from purifold.engine.steps.judge import read_outcome
from purifold.engine.store import Store
from purifold.errors import InputError
from purifold.evaluation.check import OF_ATTACKS, OF_OUTCOMES
from purifold.evaluation.evaluate import evaluate
from purifold.threat import ThreatModel

TINY = Scale(
    name="smoke", images=12, seen=5_500, encoded=11_000, epochs=5, draws=2, eot=2, audit=4, played=1_000
)
HERE = Resources()
QUESTION = Question(
    data="digits", defenses=("none", "vae", "blur"), attacks=("fgsm", "pgd:steps=3"), epsilons=(0.1, 0.3)
)


@pytest.fixture(scope="module")
def finished(tmp_path_factory):
    store = Store(tmp_path_factory.mktemp("store"))
    experiments = compose(QUESTION, TINY, HERE)
    report = run([step for experiment in experiments for step in experiment.steps()], store, HERE)
    return store, experiments, report


def everything(experiments, store):
    return plan([step for experiment in experiments for step in experiment.steps()], store).todo


def test_defenses_share_one_classifier_and_the_images_of_an_attacker_who_does_not_know_them(tmp_path):
    steps = everything(compose(QUESTION, TINY, HERE), Store(tmp_path))
    kinds = [step.kind for step in steps]
    assert kinds.count("train-classifier") == 1
    assert kinds.count("train-autoencoder") == 1
    # two attacks at two budgets: on the bare classifier, on vae with sampling off and averaged, on blur
    assert kinds.count("craft") == 4 * 2 * 2
    assert kinds.count("judge") == 3 * 2 * 2


def test_an_attacker_who_knows_a_bare_classifier_knows_no_more_than_one_who_does_not():
    bare = compose(QUESTION, TINY, HERE)[0].system
    threat, pgd = ThreatModel("linf", 0.1), attack("pgd")
    crafts = [Craft.of(bare, 4, pgd, threat, level, seed=0) for level in ("oblivious", "adaptive")]
    assert crafts[0] == crafts[1]


def test_systems_that_differ_in_their_sampling_alone_share_what_is_crafted_with_it_off(tmp_path):
    scales = ("vae:latent_scale=0", "vae:latent_scale=0.1", "vae")
    experiments = compose(replace(QUESTION, defenses=scales), TINY, HERE)
    crafts = [step for step in everything(experiments, Store(tmp_path)) if step.kind == "craft"]
    still = [craft for craft in crafts if craft.knowledge == "adaptive" and craft.draws == 1]
    averaged = [craft for craft in crafts if craft.draws > 1]
    assert {craft.system.defense for craft in still} == {"vae:latent_scale=0.0"}
    assert len(still) == 2 * 2
    assert {craft.system.defense for craft in averaged} == {"vae:latent_scale=0.1", "vae"}
    assert len(averaged) == 2 * 2 * 2


def test_only_the_attacks_that_are_named_average_over_the_sampling():
    (experiment,) = compose(replace(QUESTION, defenses=("vae",)), TINY, HERE)
    found = replace(experiment, averaged=("pgd",)).crafts("adaptive", ThreatModel("linf", 0.1))
    assert [(craft.attack.name, craft.draws) for craft in found] == [("fgsm", 1), ("pgd", 1), ("pgd", 2)]


def test_an_attacker_who_cannot_follow_the_system_works_through_its_stand_ins():
    (experiment,) = compose(replace(QUESTION, defenses=("puvae",), attacks=("fgsm",)), TINY, HERE)
    named = replace(experiment, through=("soft",))
    budget = ThreatModel("linf", 0.1)
    assert [craft.stand_in for craft in named.crafts("adaptive", budget)] == ["soft"]
    assert len(experiment.crafts("adaptive", budget)) > 2
    assert named.crafts("oblivious", budget) == experiment.crafts("oblivious", budget)


def test_a_minimum_norm_attack_that_no_box_shapes_is_searched_once_for_all_budgets():
    question = replace(QUESTION, attacks=("deepfool", "cw-l2"), epsilons=(0.1, 0.2), defenses=("none",))
    crafts = {craft for judged in compose(question, TINY, HERE)[0].judged for craft in judged.crafts}
    found = sorted((craft.attack.name, craft.threat.epsilon) for craft in crafts)
    assert found == [("cw-l2", 0.1), ("cw-l2", 0.2), ("deepfool", math.inf)]


def test_a_minimum_norm_attack_in_l2_is_searched_once_for_all_budgets():
    question = replace(QUESTION, attacks=("deepfool",), norm="l2", epsilons=(0.5, 1.0, 2.0))
    crafts = {craft for judged in compose(question, TINY, HERE)[0].judged for craft in judged.crafts}
    assert [craft.threat.epsilon for craft in crafts] == [math.inf]


def test_attackers_who_do_not_know_the_defense_are_judged_on_more_images_beside(finished):
    store, experiments, _ = finished
    wider = replace(experiments[1], wide=30)
    assert wider.judged == experiments[1].judged
    added = set(wider.steps()) - set(experiments[1].steps())
    assert {(step.kind, step.count, step.knowledge) for step in added} == {("judge", 30, "oblivious")}
    run(wider.steps(), store, HERE)
    record = wider.record(store, "a title", "purifold evaluate")
    assert [outcome.threat.epsilon for outcome in record.wide] == [0.1, 0.3]
    assert {len(outcome) for outcome in record.wide} == {30}
    assert {len(outcome) for outcome in record.outcomes} == {12}
    assert experiments[1].record(store, "a title", "purifold evaluate").wide == ()


def test_a_check_of_the_attacks_alone_is_lent_to_who_makes_none(finished):
    store, (bare, vae, _), _ = finished
    unchecked = replace(vae, audit=0)
    run(unchecked.steps(), store, HERE)

    def names(experiment, *beside):
        return [check.name for check in experiment.record(store, "a title", "made", beside).checks]

    own = names(unchecked)
    assert own == list(OF_OUTCOMES)
    assert names(unchecked, bare) == [*own, OF_ATTACKS]
    assert unchecked.record(store, "a title", "made", [bare]).reduced
    for stranger in (replace(bare, audit=0), replace(bare, attacks=bare.attacks[:1]), vae):
        run(stranger.steps(), store, HERE)
        assert names(unchecked, stranger) == own
    assert names(vae, bare) == names(vae)


def test_a_second_run_makes_nothing(finished):
    store, experiments, first = finished
    assert len(first.made) == len({step.key for step in first.made}) > 20
    again = run([step for experiment in experiments for step in experiment.steps()], store, HERE)
    assert again.made == ()


def test_the_engine_judges_as_the_library_does(finished, bench, tmp_path):
    store, experiments, _ = finished
    experiment = experiments[2]
    assert experiment.system.defense == "blur"
    place = bench(tmp_path, store, [experiment.system.classifier])
    split = experiment.system.data.part("test", HERE, experiment.count)
    for judged in experiment.judged:
        expected = evaluate(
            experiment.system.build(place), split, experiment.attacks, judged.threat, judged.knowledge, seed=0
        )
        found = read_outcome(store.fetch(judged))
        assert found.threat == expected.threat
        assert torch.equal(found.clean, expected.clean)
        for name, attacked in expected.attacked.items():
            assert torch.equal(found.attacked[name].predictions, attacked.predictions)
            assert torch.equal(found.attacked[name].l2, attacked.l2)


def test_a_stochastic_system_is_judged_over_draws_and_attacked_with_and_without_sampling(finished):
    store, experiments, _ = finished
    adaptive = read_outcome(store.fetch(experiments[1].judged[-1]))
    assert adaptive.knowledge == "adaptive"
    assert adaptive.clean.shape == (12, TINY.draws)
    assert list(adaptive.attacked) == ["fgsm", "fgsm+eot2", "pgd", "pgd+eot2"]


def test_an_attack_without_a_budget_loses_what_lies_beyond_the_budget_it_is_judged_at(tmp_path):
    question = replace(
        QUESTION,
        defenses=("none",),
        attacks=("deepfool",),
        norm="l2",
        epsilons=(1e-6, 50.0),
        knowledge=("oblivious",),
    )
    (experiment,) = compose(question, TINY, HERE)
    store = Store(tmp_path)
    run(experiment.judged, store, HERE)
    near, far, *_ = (read_outcome(store.fetch(judged)) for judged in experiment.judged)
    assert near.attacked["deepfool"].l2.max() <= 2e-6
    assert far.accuracy().successes > 0
    assert far.attacked["deepfool"].l2.max() > 1e-3
    assert near.robust_accuracy().successes == near.accuracy().successes
    assert far.robust_accuracy().successes == 0


def test_the_record_names_what_ran(finished):
    store, experiments, _ = finished
    record = experiments[1].record(store, "a title", "purifold evaluate")
    assert record.attacks == ("FGSM(targeted=False)", repr(attack("pgd:steps=3")))
    assert record.data["count"] == 12
    assert record.draws == TINY.draws
    assert {(outcome.knowledge, outcome.threat.epsilon) for outcome in record.outcomes} == {
        (level, epsilon) for level in ("oblivious", "adaptive") for epsilon in (0.1, 0.3)
    }
    assert record.checks


def test_scores_without_an_attack_by_queries_is_refused():
    with pytest.raises(InputError, match="square"):
        compose(replace(QUESTION, knowledge=("scores",)), TINY, HERE)


def test_two_attacks_of_one_name_are_both_judged(tmp_path):
    question = replace(
        QUESTION, defenses=("none",), attacks=("pgd:steps=20", "pgd:steps=1,step=0.01"), epsilons=(0.3,)
    )
    (experiment,) = compose(question, TINY, HERE)
    store = Store(tmp_path)
    run(experiment.judged, store, HERE)
    outcome = read_outcome(store.fetch(experiment.judged[0]))
    assert list(outcome.attacked) == ["pgd", "pgd-2"]
    strong, weak = outcome.robust("pgd"), outcome.robust("pgd-2")
    assert strong.sum() < weak.sum()
    assert torch.equal(outcome.robust(), strong & weak)


def test_an_attacker_who_knows_is_always_asked():
    levels = compose(replace(QUESTION, knowledge=("oblivious",)), TINY, HERE)[0].knowledge
    assert levels == ("oblivious", "adaptive")


def test_a_record_needs_only_what_the_report_needs(finished, tmp_path):
    import shutil

    store, experiments, _ = finished
    copy = tmp_path / "store"
    shutil.copytree(store.address, copy)
    before = experiments[0].record(Store(copy), "a title", "purifold evaluate")
    shutil.rmtree(copy / "craft")
    after = experiments[0].record(Store(copy), "a title", "purifold evaluate")
    assert after.created == before.created
    assert after.seconds < before.seconds


def test_each_substitute_has_an_outcome_of_its_own_that_names_it(tmp_path):
    question = replace(
        QUESTION,
        defenses=("none",),
        attacks=("fgsm",),
        epsilons=(0.3,),
        knowledge=("transfer",),
        substitutes=("mlp", "small-cnn"),
    )
    (experiment,) = compose(question, TINY, HERE)
    store = Store(tmp_path)
    run(experiment.judged, store, HERE)
    found = [read_outcome(store.fetch(judged)) for judged in experiment.judged]
    assert [(outcome.knowledge, outcome.substitute) for outcome in found] == [
        ("transfer", "mlp"),
        ("transfer", "small-cnn"),
        ("adaptive", ""),
    ]
    first, second, _ = (outcome.attacked["fgsm"] for outcome in found)
    assert not torch.equal(first.l2, second.l2) or not torch.equal(first.predictions, second.predictions)
