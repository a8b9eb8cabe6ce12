"""Pictures come back from JSON as they went in."""

import json

import numpy as np

from purifold.report.packed import packed, unpacked


def test_pictures_survive_json():
    pictures = np.random.default_rng(0).integers(0, 256, (2, 3, 4, 1), dtype=np.uint8)
    again = unpacked(json.loads(json.dumps(packed(pictures))))
    assert again.dtype == np.uint8
    assert (again == pictures).all()
