"""The gallery: which images stand where, and what the system answered below them."""

import numpy as np

from purifold.defenses.base import REJECTED
from purifold.engine.steps.gallery import Pictures, Shown
from purifold.report.pictures import LONGEST, RIGHT, WRONG, gallery


def test_answers_stand_under_what_the_classifier_saw_in_their_colour():
    images = np.zeros((3, 8, 8, 1), np.uint8)
    shown = Shown(images, images + 1, np.array([0, 1, REJECTED]))
    figure = gallery(Pictures(np.zeros(3, int), ("zero", "one"), {"clean": shown}))
    assert len(figure.axes) == 6
    labels = [panel.xaxis.label for panel in figure.axes[3:]]
    assert [label.get_text() for label in labels] == ["zero", "one", "rejected"]
    assert len({label.get_color() for label in labels}) == 3
    assert all(panel.get_xlabel() == "" for panel in figure.axes[:3])


def test_without_a_purifier_there_is_one_row():
    images = np.zeros((2, 8, 8, 1), np.uint8)
    shown = Shown(images, images, np.array([0, 0]))
    assert len(gallery(Pictures(np.zeros(2, int), ("zero",), {"clean": shown})).axes) == 2


def test_a_right_answer_is_green_a_wrong_one_red_and_long_names_are_cut():
    images = np.zeros((2, 8, 8, 1), np.uint8)
    name = "a" * (LONGEST + 3)
    shown = Shown(images, images, np.array([1, 0]))
    below = gallery(Pictures(np.array([1, 1]), ("zero", name), {"clean": shown})).axes
    assert [panel.xaxis.label.get_color() for panel in below] == [RIGHT, WRONG]
    assert below[0].get_title() == below[0].get_xlabel() == "a" * LONGEST


def test_the_pixels_are_those_of_the_pictures_on_the_whole_scale_of_grey():
    images = np.arange(2 * 3 * 3, dtype=np.uint8).reshape(2, 3, 3, 1)
    shown = Shown(images, 255 - images, np.array([0, 0]))
    axes = gallery(Pictures(np.zeros(2, int), ("zero",), {"clean": shown})).axes
    for panel, picture in zip(axes, [*images, *(255 - images)], strict=True):
        assert (panel.images[0].get_array() == picture.squeeze()).all()
        assert panel.images[0].get_clim() == (0, 255)
