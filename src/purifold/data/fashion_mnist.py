"""Fashion-MNIST: Xiao et al., 2017, arXiv 1708.07747."""

from purifold.data.base import Defaults
from purifold.data.table import Table

FASHION_MNIST = Table(
    name="fashion-mnist",
    summary="pieces of clothing, 60,000 + 10,000 images, greyscale 28x28",
    shape=(1, 28, 28),
    classes=10,
    hub="zalando-datasets/fashion_mnist",
    defaults=Defaults(
        classifier="patch-vae-mnist",
        autoencoder="patch-vae-mnist",
        latent=256,
        epsilons=(0.05, 0.1, 0.15, 0.2, 0.25, 0.3),
    ),
)
