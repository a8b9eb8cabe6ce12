"""Forgeries: each counts once, and what is shown is what was answered."""

import torch

from purifold.defenses.base import REJECTED
from purifold.engine.step import Resources
from purifold.engine.steps.forgery import first_of_each, read_forged, read_forged_pictures

HERE = Resources()


def test_every_forgery_counts_once(refusing):
    found, steps, _ = refusing
    images = read_forged(found["forged"])
    test = steps["forged"].system.data.part("test", HERE)
    chosen = first_of_each(test, 2)
    assert images.tried == 9 * len(chosen) == 9 * 20
    assert images.target + images.wrong + images.right + images.rejected == images.tried
    assert chosen.labels.bincount().tolist() == [2] * 10
    rubbish = read_forged(found["from noise"])
    assert rubbish.tried == 30
    assert rubbish.right == 0


def test_a_picture_of_a_forgery_is_what_the_system_answered(refusing):
    found, _, system = refusing
    pictures = read_forged_pictures(found["forged"])
    forged = torch.from_numpy(pictures["forged"]).permute(0, 3, 1, 2) / 255
    accepted = pictures["answers"] != REJECTED
    again = system.predict(forged).numpy()
    assert (again[accepted] == pictures["answers"][accepted]).mean() > 0.8  # pictures are rounded
    assert (pictures["targets"] == range(10)).all()
    assert (pictures["labels"] != pictures["targets"]).all()
