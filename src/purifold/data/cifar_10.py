"""CIFAR-10: Krizhevsky, 2009, "Learning multiple layers of features from tiny images"."""

from purifold.data.base import Defaults
from purifold.data.table import Table

CIFAR_10 = Table(
    name="cifar-10",
    summary="animals and vehicles, 50,000 + 10,000 images, RGB 32x32",
    shape=(3, 32, 32),
    classes=10,
    hub="uoft-cs/cifar10",
    image="img",
    defaults=Defaults(
        classifier="patch-vae-cifar",
        autoencoder="patch-vae-cifar",
        latent=1024,
        epsilons=(2 / 255, 4 / 255, 8 / 255),
        varied=True,
    ),
)
