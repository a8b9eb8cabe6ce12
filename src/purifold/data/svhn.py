"""SVHN, cropped digits: Netzer et al., 2011, NIPS workshop on deep learning and feature learning.

The 531,131 easier `extra` images are left out.
"""

from purifold.data.base import Defaults
from purifold.data.table import Table

SVHN = Table(
    name="svhn",
    summary="digits of house numbers, 73,257 + 26,032 images, RGB 32x32",
    shape=(3, 32, 32),
    classes=10,
    hub="ufldl-stanford/svhn",
    config="cropped_digits",
    defaults=Defaults(
        classifier="patch-vae-cifar",
        autoencoder="patch-vae-cifar",
        latent=1024,
        epsilons=(2 / 255, 4 / 255, 8 / 255),
    ),
)
