import numpy as np
import pytest
from PIL import Image

from purifold.data.celeba import face
from purifold.errors import InputError


def test_the_central_square_is_kept_and_nothing_around_it():
    pixels = np.zeros((218, 178, 3), dtype=np.uint8)
    pixels[35:183, 15:163] = 200  # 148 x 148, as far from the left as from the right, from top as from bottom
    np.testing.assert_array_equal(
        np.asarray(face(Image.fromarray(pixels), "image 0")), np.full((64, 64, 3), 200)
    )


def test_gradients_keep_their_slope_and_centre():
    across = np.broadcast_to(np.arange(178, dtype=np.uint8)[None, :, None], (218, 178, 3))
    columns = np.asarray(face(Image.fromarray(np.ascontiguousarray(across)), "image 0"))[30, :, 0].astype(
        float
    )
    centres = 15 + (np.arange(64) + 0.5) * 148 / 64 - 0.5
    np.testing.assert_allclose(columns[2:-2], centres[2:-2], atol=0.51)


def test_images_that_are_not_aligned_faces_are_refused():
    with pytest.raises(InputError, match="image 3 is 178 wide and 200 high, aligned faces are 178 and 218"):
        face(Image.new("RGB", (178, 200)), "image 3")
