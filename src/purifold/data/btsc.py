"""BelgiumTS for classification: Timofte and Van Gool, 2011, "Sparse representation based projections".

Several images show one physical sign: validation images are held out sign by sign. The official test part
shows some signs of the training part too (17 training images); it is left as it is.
"""

from purifold.data.base import Defaults
from purifold.data.table import Table

BTSC = Table(
    name="btsc",
    summary="Belgian traffic signs, 4,575 + 2,520 images of 62 uneven classes, RGB 32x32",
    shape=(3, 32, 32),
    classes=62,
    group="sign",
    defaults=Defaults(
        classifier="ae-robustness",
        autoencoder="ae-robustness",
        latent=128,
        epsilons=(0.005, 0.010, 0.015, 0.020, 0.025, 0.030),
    ),
)
