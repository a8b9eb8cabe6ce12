"""Forgeries: each counts once, and what is shown is what was answered."""

import torch

from purifold.defenses.base import REJECTED
from purifold.engine.step import Resources
from purifold.engine.steps.forgery import first_of_each, read_forged, read_forged_pictures
from purifold.evaluation.conflict import Conflict

HERE = Resources()


def test_every_forgery_counts_once(refusing):
    found, _, _ = refusing
    images = read_forged(found["forged"])
    assert images.tried == 9 * 20
    assert images.target + images.wrong + images.right + images.rejected == images.tried
    rubbish = read_forged(found["from noise"])
    assert rubbish.tried == 30
    assert rubbish.right == 0


def test_what_is_wrong_as_it_is_needs_no_forger(refusing, monkeypatch):
    forgery = refusing[1]["forged"]
    test = forgery.system.data.part("test", HERE)

    def fooled(conflict, labels):
        """The first test image of every class is accepted as another one."""
        first = torch.stack([test.images()[test.labels == label][0] for label in labels])
        return lambda images: (images == first).flatten(1).all(dim=1)

    monkeypatch.setattr(Conflict, "fooled", fooled)
    for target, (images, labels) in enumerate(forgery._starts(test, Conflict.__new__(Conflict))):
        others = [label for label in range(10) if label != target]
        assert labels.tolist() == [label for label in others for _ in range(2)]
        second_and_third = [test.images()[test.labels == label][1:3] for label in others]
        assert torch.equal(images, torch.cat(second_and_third))


def test_the_first_of_each_class_are_as_many_as_there_are(refusing):
    test = refusing[1]["forged"].system.data.part("test", HERE)
    assert first_of_each(test, 2).labels.bincount().tolist() == [2] * 10
    assert len(first_of_each(test, len(test))) == len(test)


def test_a_picture_of_a_forgery_is_what_the_system_answered(refusing):
    found, _, system = refusing
    pictures = read_forged_pictures(found["forged"])
    forged = torch.from_numpy(pictures["forged"]).permute(0, 3, 1, 2) / 255
    accepted = pictures["answers"] != REJECTED
    again = system.predict(forged).numpy()
    assert (again[accepted] == pictures["answers"][accepted]).mean() > 0.8  # pictures are rounded
    assert (pictures["targets"] == range(10)).all()
    assert (pictures["labels"] != pictures["targets"]).all()
