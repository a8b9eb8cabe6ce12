"""Models of `gm-vae` beside each other: the same images, the same judge, each its own system."""

from purifold.papers.gm_vae_cells import DIGITS, REFUSING, SIZES, VARIABLE
from purifold.papers.gm_vae_models import EACH, SHOWN


def test_detectors_of_every_entropy_meet_the_same_images(gm_vae_exhibits):
    by_model = {}
    for learning, title, alarms in gm_vae_exhibits["detectors"].rows:
        assert alarms.system.defense == REFUSING
        assert alarms.count == SIZES["smoke"].attacked
        assert (alarms.craft is None) == (title == "clean")
        by_model.setdefault(learning, []).append((title, alarms))
    assert list(by_model) == [next(iter(DIGITS.classifiers)), *VARIABLE]
    assert len({tuple(title for title, _ in rows) for rows in by_model.values()}) == 1
    assert len({rows[0][1].system for rows in by_model.values()}) == len(by_model)
    for rows in by_model.values():  # attacked through its own encoder
        assert {alarms.craft.system.classifier for _, alarms in rows if alarms.craft} == {
            rows[0][1].system.classifier
        }


def test_one_reader_tells_how_far_samples_of_every_model_lie(gm_vae_exhibits):
    steps = [step for _, step, _ in gm_vae_exhibits["frechet"].rows]
    assert len({step.reader for step in steps}) == 1
    assert len({step.autoencoder for step in steps}) == len(steps) == 1 + len(VARIABLE)
    assert not {step.reader for step in steps} & {step.autoencoder for step in steps}


def test_samples_are_of_constant_entropy_alone(gm_vae_exhibits):
    blocks = dict(gm_vae_exhibits["fig-2"].blocks)
    assert set(blocks) == set(DIGITS.classifiers) - set(VARIABLE)
    assert {(step.classes, step.each) for step in blocks.values()} == {(SHOWN, EACH)}
