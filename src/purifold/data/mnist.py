"""MNIST: LeCun et al., 1998, "Gradient-based learning applied to document recognition"."""

from purifold.data.base import Defaults
from purifold.data.table import Table

MNIST = Table(
    name="mnist",
    summary="handwritten digits, 60,000 + 10,000 images, greyscale 28x28",
    shape=(1, 28, 28),
    classes=10,
    hub="ylecun/mnist",
    defaults=Defaults(
        classifier="patch-vae-mnist",
        autoencoder="patch-vae-mnist",
        latent=256,
        epsilons=(0.05, 0.1, 0.15, 0.2, 0.25, 0.3),
    ),
)
