"""COIL-100: Nene, Nayar and Murase, 1996, Columbia object image library, CUCS-006-96.

Original images are 128x128; smaller copies are in use, so any one size is accepted.
"""

from purifold.data.base import Defaults
from purifold.data.table import Table

COIL_100 = Table(
    name="coil-100",
    summary="100 objects on a turntable, up to 72 views each, RGB 128x128 or a smaller copy",
    shape=None,
    classes=100,
    defaults=Defaults(
        classifier="ae-robustness",
        autoencoder="ae-robustness",
        latent=128,
        epsilons=(2 / 255, 4 / 255, 8 / 255),
    ),
)
