"""Rejecting what is encoded far from every class.

Ghosh, Losalka and Black, 2019 (`gm-vae`), section 3, "Resisting adversarial attacks".
"""

from typing import ClassVar, final

import torch
from jaxtyping import Float
from scipy.stats import chi2
from torch import Tensor

from purifold.autoencoders.mixture import MixtureAutoencoder
from purifold.autoencoders.mixture_spec import MixtureSpec
from purifold.batches import at_once, in_batches
from purifold.defenses.base import Detector
from purifold.types import Images, Scores

THREE_SIGMA = 0.0027
"""Share of a normal distribution beyond three standard deviations."""


@final
class LatentDistance(Detector):
    """Squared Mahalanobis distance of an image's code to the mean of the class that the code is taken for.

    Args:
        autoencoder: Trained.
        covariance: Of codes around the means of their classes, as `spread` in this module estimates it.

    Differs: all classes share a covariance, which the paper leaves open: where there are many classes, one
    has too few images. It is that of held-out images, as codes of training images lie closer.
    """

    name: ClassVar[str] = "latent-distance"
    precision: Tensor

    def __init__(self, autoencoder: MixtureAutoencoder, covariance: Float[Tensor, "latent latent"]) -> None:
        super().__init__()
        self.autoencoder = autoencoder
        self.register_buffer("precision", torch.linalg.inv(covariance.double()).to(covariance.dtype))

    def forward(self, images: Images) -> Scores:
        """The distance of each image's code to the mean of its class."""
        return self.own(self.autoencoder.encode(images))

    def own(self, latent: Float[Tensor, "batch latent"]) -> Scores:
        """The distance of each code to the mean of its class.

        Where codes spread more one way than another, a mean farther off may be nearer by this distance: a
        code that lies well for that class is none of the class that it is taken for.
        """
        classes = self.autoencoder.distances(latent).argmin(dim=1, keepdim=True)
        return self.distances(latent).gather(1, classes).squeeze(1)

    def distances(self, latent: Float[Tensor, "batch latent"]) -> Float[Tensor, "batch classes"]:
        """The distance of each code to every mean."""
        off = latent[:, None] - self.autoencoder.means
        return torch.einsum("bki,ij,bkj->bk", off, self.precision, off)

    def three_sigma(self) -> None:
        """Sets the paper's threshold: the chi-square value that is exceeded as rarely as 3 sigma."""
        self.threshold.fill_(float(chi2.isf(THREE_SIGMA, self.precision.shape[0])))

    @classmethod
    def example(cls, channels: int, size: int) -> "LatentDistance":
        """An untrained autoencoder of three classes, codes of unit variance."""
        autoencoder = MixtureSpec().build((channels, size, size), 3)
        return cls(autoencoder, torch.eye(3))


@torch.no_grad()
def spread(autoencoder: MixtureAutoencoder, clean: Images) -> Float[Tensor, "latent latent"]:
    """Covariance of the codes of held-out clean images around the means that they are nearest to.

    Shrunk as Ledoit and Wolf, 2004, J. Multivariate Analysis 88:365, have it: with hardly more images than
    latent units the sample's own covariance would reject everything new.
    """
    from sklearn.covariance import ledoit_wolf

    codes = in_batches(autoencoder.encode, clean, at_once(clean))
    off = codes - autoencoder.means[autoencoder.distances(codes).argmin(dim=1)]
    covariance, _ = ledoit_wolf(off.double().cpu().numpy(), assume_centered=True)
    return torch.from_numpy(covariance).to(codes)
