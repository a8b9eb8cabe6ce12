"""The autoencoder of `gm-vae` (section 3): its prior has one Gaussian a class, so encoding classifies."""

import math
from typing import Literal, TypeAlias, final, get_args

import torch
import torch.nn.functional as F
from jaxtyping import Float
from torch import Tensor, nn

from purifold.autoencoders.remembered import Remembered
from purifold.checks import check_at_least
from purifold.errors import InputError, unknown
from purifold.networks.base import Decoder, Encoder, Shape
from purifold.types import Images, Labels, Latent, Logits, Scores

Entropy: TypeAlias = Literal["constant", "variable"]
UNLABELLED = -1
"""The label of an image whose class training does not see."""


@final
class MixtureAutoencoder(nn.Module):
    """A Gaussian-mixture VAE: the class of an image is that of the mean nearest to its code.

    The loss of an image is the squared error of its reconstruction, summed over the pixels, from a code with
    noise, and what keeps codes at the means, weighted: the squared distance to the mean of the image's class
    (equation 7), or without a label to all means as the mixture has them (equation 3).

    Args:
        encoder: Gives codes; with variable entropy log-variances behind them.
        decoder: For the same image shape.
        means: Of the classes' Gaussians; see `one_hot` and `on_axis`.
        variance: Of every Gaussian of the prior, and of the noise that codes get in training.
        prior_weight: The paper's alpha.
        entropy: "constant": the noise is the same for all images. "variable": the encoder says how much an
            image's code gets, as in an ordinary VAE; for comparison (figure 5).
        warm_up: Updates in which the pull on images without a label grows from nothing to its weight.

    Differs: the mixture's term is the weight times -2 variance log(sum of exp), which is equation 7's where
    a single mean is near, so that one weight serves both; like that it is taken at the code, where equation 3
    takes its mean over the noise. A variable variance is drawn to the prior's by the
    KL divergence in the same units: at the prior's own variance it is equation 7 again. The paper gives none
    of the weights. Logits have unit variance, where the paper's own would saturate a softmax, and with it
    every attack that follows one. Without a warm-up images go to whichever mean an untrained encoder is
    nearest to, and stay there.
    """

    means: Tensor
    updates: Tensor
    """How many updates were begun; part of the state, so that a resumed training goes on in step."""

    def __init__(
        self,
        encoder: Encoder,
        decoder: Decoder,
        means: Float[Tensor, "classes latent"],
        *,
        variance: float = 1 / 3000,
        prior_weight: float = 10.0,
        entropy: Entropy = "constant",
        warm_up: int = 0,
    ) -> None:
        super().__init__()
        check_at_least(warm_up, 0, "warm_up")
        check_mixture(variance, prior_weight, entropy)
        _check_parts(encoder, decoder, means, entropy)
        self.encoder, self.decoder = encoder, decoder
        self.register_buffer("means", means)
        self.variance, self.prior_weight = variance, prior_weight
        self.entropy: Entropy = entropy
        self.warm_up = warm_up
        self._codes = Remembered()
        self.register_buffer("updates", torch.zeros((), dtype=torch.long))

    @property
    def shape(self) -> Shape:
        """(channel, height, width) of the images."""
        return self.decoder.shape

    @property
    def classes(self) -> int:
        """How many Gaussians the prior has."""
        return len(self.means)

    def encode(self, images: Images) -> Latent:
        """The code of each image, without noise; of the same images again it is the one that was found."""
        return self._codes(self.encoder, images)[:, : self.decoder.latent].to(images.dtype)

    def noisy(self, images: Images) -> Latent:
        """The code of each image with the noise that training adds; draws from torch's generator."""
        return self._with_noise(*self._posterior(images))

    def decode(self, latent: Latent) -> Images:
        """Images in [0, 1]."""
        return self.decoder(latent)

    def reconstruct(self, images: Images) -> Images:
        """Decoded codes."""
        return self.decode(self.encode(images))

    def forward(self, images: Images) -> Logits:
        """Log-densities of the code under Gaussians of unit variance, but for a constant."""
        return -self.distances(self.encode(images)) / 2

    def distances(self, latent: Latent) -> Float[Tensor, "batch classes"]:
        """Squared distance of each code to each mean."""
        return (latent[:, None] - self.means).square().sum(dim=2)

    def sample(self, labels: Labels) -> Images:
        """An image of each class, decoded from a draw of its Gaussian; draws from torch's generator."""
        means = self.means[labels]
        return self.decode(means + math.sqrt(self.variance) * torch.randn_like(means))

    def loss(self, images: Images, labels: Labels) -> Scores:
        """What training minimises, one an image: the sum of `terms`."""
        return torch.stack(tuple(self.terms(images, labels).values())).sum(dim=0)

    def terms(self, images: Images, labels: Labels) -> dict[str, Scores]:
        """Parts of the loss by name, weighted.

        Args:
            images: In [0, 1].
            labels: Their classes, `UNLABELLED` where training does not see it.
        """
        mean, log_ratio = self._posterior(images)
        reconstruction = self.decode(self._with_noise(mean, log_ratio)).to(images.dtype)
        pull = self._pull(mean, labels) + self._excess(log_ratio)
        return {
            "reconstruction": (reconstruction - images).square().flatten(1).sum(dim=1),
            "prior": self.prior_weight * pull,
        }

    def extra_repr(self) -> str:
        """The configuration, for `repr`."""
        return f"variance={self.variance:g}, prior_weight={self.prior_weight:g}, entropy={self.entropy!r}"

    def _posterior(self, images: Images) -> tuple[Latent, Latent]:
        """Means, and logarithms of the variances over the prior's."""
        outputs = self.encoder(images).to(images.dtype)
        if self.entropy == "constant":
            return outputs, torch.zeros_like(outputs)
        mean, log_ratio = outputs.chunk(2, dim=1)
        return mean, log_ratio

    def _with_noise(self, mean: Latent, log_ratio: Latent) -> Latent:
        spread = math.sqrt(self.variance) * torch.exp(log_ratio / 2)
        return torch.addcmul(mean, spread, torch.randn_like(mean))

    def _pull(self, mean: Latent, labels: Labels) -> Scores:
        distances, unit = self.distances(mean), 2 * self.variance
        own = F.one_hot(labels.clamp_min(0), self.classes).bool()
        labelled = distances.masked_fill(~own, 0).sum(dim=1)
        mixture = -unit * torch.logsumexp(-distances / unit, dim=1)
        return torch.where(labels == UNLABELLED, self._warmth() * mixture, labelled)

    def _warmth(self) -> float:
        """Share of its weight that the pull on images without a label has; counts an update in training."""
        if not self.training:
            return 1.0
        self.updates += 1
        return min(1.0, int(self.updates) / max(1, self.warm_up))

    def _excess(self, log_ratio: Latent) -> Scores:
        """2 variance KL of the noise alone: 0 where it is the prior's own."""
        return self.variance * (torch.expm1(log_ratio) - log_ratio).sum(dim=1)


def one_hot(classes: int, latent: int) -> Float[Tensor, "classes latent"]:
    """The paper's means: one-hot, with zeros behind where the latent is larger than the classes are many."""
    if latent < classes:
        raise InputError(
            f"latent units must be as many as classes, {classes}, or more for one-hot means, got {latent}"
        )
    return torch.eye(classes, latent)


def on_axis(classes: int, latent: int) -> Float[Tensor, "classes latent"]:
    """The paper's other example: all means on the first axis, as far from the next as one-hot ones are."""
    means = torch.zeros(classes, latent)
    means[:, 0] = math.sqrt(2) * torch.arange(classes)
    return means


def check_mixture(variance: float, prior_weight: float, entropy: str) -> None:
    """Refuses values that nothing can be trained with."""
    for name, value in (("variance", variance), ("prior_weight", prior_weight)):
        if not 0 < value < math.inf:
            raise InputError(f"{name} must be above 0 and finite, got {value}")
    if entropy not in get_args(Entropy):
        raise unknown("entropy", entropy, get_args(Entropy))


def _check_parts(encoder: Encoder, decoder: Decoder, means: Tensor, entropy: Entropy) -> None:
    if tuple(encoder.shape) != tuple(decoder.shape):
        raise InputError(
            f"decoder must give the encoder's image shape {tuple(encoder.shape)}, got {tuple(decoder.shape)}"
        )
    wanted = decoder.latent * (2 if entropy == "variable" else 1)
    if encoder.outputs != wanted:
        raise InputError(f"encoder must have {wanted} outputs, got {encoder.outputs}")
    if means.shape[1] != decoder.latent:
        raise InputError(f"means must have {decoder.latent} units as the latent, got {means.shape[1]}")
