"""Risk and coverage of a trained system are those of its detectors."""

import torch

from purifold.engine.step import Resources
from purifold.engine.steps.selection import read_selection
from purifold.evaluation.selection import ranked, strictness, suspicions

HERE = Resources()


def test_the_curve_is_that_of_the_detectors(refusing):
    found, steps, system = refusing
    data = steps["clean"].system.data
    split, clean = data.part("test", HERE, 60), data.part("validation", HERE).images()
    strict = strictness(suspicions(system, split.images()), suspicions(system, clean))
    right = system(split.images()).argmax(dim=1) == split.labels
    expected, curve = ranked(strict, right), read_selection(found["clean"])
    torch.testing.assert_close(curve.coverage, expected.coverage)
    torch.testing.assert_close(curve.risk, expected.risk)
    assert read_selection(found["attacked"]).area > curve.area
