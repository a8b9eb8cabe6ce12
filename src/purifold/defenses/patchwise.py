"""Patch by patch: a purifier of small squares applied to images of any size.

Luo and Pfister, `patch-vae`, sections 4 to 6: reconstructed patches are put back where they came from, and
averaged where they overlap. Differs: a patch may fade towards its edges ("hann"), and an image that is
smaller than a patch is lengthened by its last row and column.
"""

from typing import ClassVar, final

import torch.nn.functional as F

from purifold.defenses.base import Purifier
from purifold.defenses.reconstruction import Reconstruction
from purifold.defenses.streaming import Purify, streamed
from purifold.defenses.tiling import WINDOWS, Tiling, Window
from purifold.errors import InputError, unknown
from purifold.types import Images


@final
class Patchwise(Purifier):
    """Cuts images into overlapping squares, purifies each, and blends them.

    The memory beside the images is bounded whatever their size and the stride, with a gradient too. What an
    attacker is offered in place of `purifier` is not offered here: its stand-ins take whole images.

    Args:
        purifier: Of squares of side `patch`.
        patch: Side of a square in pixels.
        stride: Pixels from one square to the next, 1 to `patch`; smaller keeps more of the image, and of
            the perturbation. The last square of a row or column is flush with the edge.
        window: What a square counts where several overlap: "uniform", as in the paper, or "hann".
    """

    name: ClassVar[str] = "patchwise"

    def __init__(self, purifier: Purifier, *, patch: int, stride: int, window: Window = "uniform") -> None:
        super().__init__()
        if patch < 1:
            raise InputError(f"patch must be 1 or above, got {patch}")
        if not 1 <= stride <= patch:
            raise InputError(f"stride must lie in [1, {patch}], the patch's side, got {stride}")
        if window not in WINDOWS:
            raise unknown("window", window, WINDOWS)
        self.purifier = purifier
        self.tiling = Tiling(patch=patch, stride=stride, window=window)
        self.stochastic, self.differentiable = purifier.stochastic, purifier.differentiable

    def forward(self, images: Images) -> Images:
        """The blended patches, each as deployed."""
        return self._blended(images if self.differentiable else images.detach(), self.purifier)

    def surrogate(self, images: Images) -> Images:
        """The blended surrogates of the patches."""
        return self._blended(images, self.purifier.surrogate)

    def extra_repr(self) -> str:
        """The configuration, for `repr`."""
        tiling = self.tiling
        return f"patch={tiling.patch}, stride={tiling.stride}, window={tiling.window!r}"

    @classmethod
    def example(cls, channels: int, size: int) -> "Patchwise":
        """A sampled autoencoder on overlapping squares, the last of which is no stride from the others."""
        patch = size // 2 + 1
        return cls(Reconstruction.example(channels, patch), patch=patch, stride=patch // 2)

    def _blended(self, images: Images, purify: Purify) -> Images:
        height, width = images.shape[2:]
        missing = [max(0, self.tiling.patch - length) for length in (height, width)]
        if any(missing):
            images = F.pad(images, (0, missing[1], 0, missing[0]), mode="replicate")
        learning = [weight for weight in self.purifier.parameters() if weight.requires_grad]
        return streamed(images, self.tiling, purify, learning)[:, :, :height, :width]
