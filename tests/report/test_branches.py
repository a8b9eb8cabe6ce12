"""One image under every class: the nearest is framed, and the shares are those that were counted."""

from base64 import b64encode

import numpy as np

from purifold.report.branches import branches


def stored(picture):
    return {"shape": list(picture.shape), "uint8": b64encode(picture.tobytes()).decode()}


def test_pictures_frames_and_shares():
    rng = np.random.default_rng(0)
    image = rng.integers(0, 256, (4, 4, 1), dtype=np.uint8)
    under = rng.integers(0, 256, (3, 4, 4, 1), dtype=np.uint8)
    row = {"name": "1, 2, 3", "nearest": 2, "clean": 9, "correct": 5, "known": 1, "images": 10}
    figure = branches([{**row, "image": stored(image), "branches": stored(under)}])
    submitted, *shown = figure.axes
    assert (submitted.images[0].get_array() == image.squeeze()).all()
    for axes, picture in zip(shown, under, strict=True):
        assert (axes.images[0].get_array() == picture.squeeze()).all()
    framed = [axes.spines["left"].get_visible() for axes in figure.axes]
    assert framed == [True, False, False, True]
    assert submitted.get_ylabel() == "1, 2, 3\nclean 90.0 %, attacked 50.0 %, knowing 10.0 %"
