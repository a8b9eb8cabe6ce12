"""CelebA, aligned faces: Liu et al., 2015, arXiv 1411.7766. Classified by one of its 40 yes-or-no attributes.

Differs: the aligned 178x218 images are cropped to the central 148x148 square and resized to 64x64, as
generative models of faces usually are; whole, the 202,599 images would fill 24 GB.
"""

from typing import TYPE_CHECKING

from purifold.data.base import Defaults
from purifold.data.table import Table
from purifold.errors import InputError

if TYPE_CHECKING:
    from PIL.Image import Image

ALIGNED = (178, 218)
CROP = 148
SIZE = 64


def face(image: "Image", place: str) -> "Image":
    """The central square of an aligned image, bilinear at 64x64."""
    from PIL import Image

    if image.size != ALIGNED:
        raise InputError(
            f"{place} is {image.width} wide and {image.height} high, aligned faces are 178 and 218"
        )
    left, top = ((side - CROP) // 2 for side in image.size)
    # resize's own box would let the pixels around it in
    square = image.crop((left, top, left + CROP, top + CROP))
    return square.resize((SIZE, SIZE), Image.Resampling.BILINEAR)


CELEBA = Table(
    name="celeba",
    summary="faces by an attribute, celeba:Male for another than Smiling, 202,599 images, RGB 64x64",
    shape=(3, SIZE, SIZE),
    classes=2,
    hub="flwrlabs/celeba",
    label="Smiling",
    validation="valid",
    prepare=face,
    defaults=Defaults(
        classifier="ae-robustness",
        autoencoder="ae-robustness",
        latent=128,
        epsilons=(2 / 255, 4 / 255, 8 / 255),
    ),
)
