"""BPDA and EOT: what an attacker who knows the defense puts around steps without a gradient, and random ones.

Athalye et al., 2018a, arXiv:1802.00420, section 4 (BPDA); 2018b, arXiv:1707.07397, section 2 (EOT). Both are
models themselves: they wrap each other and any attack takes them. A wrapper starts in evaluation mode and
leaves the mode of what it wraps alone, so that an attack still refuses a model in training mode.
"""

from collections.abc import Callable
from typing import Any, final

import torch
from torch import Tensor, nn
from torch.utils.checkpoint import checkpoint

from purifold.checks import check_at_least
from purifold.errors import InputError
from purifold.types import Logits


@final
class StraightThrough(nn.Module):
    """Forward through `transform`, bit for bit; backward through `surrogate` at the same input: BPDA.

    Args:
        transform: What is deployed; never differentiated.
        surrogate: Differentiable, near `transform`, same output shape; `lambda images: images` for the
            identity. It has no default: a surrogate that does not fit makes a defense look robust.
    """

    def __init__(self, transform: Callable[[Tensor], Tensor], surrogate: Callable[[Tensor], Tensor]) -> None:
        super().__init__()
        self.transform = transform
        self.surrogate = surrogate
        self.training = False

    def forward(self, images: Tensor) -> Tensor:
        """The transform's output; the surrogate runs only where a gradient is wanted."""
        with torch.no_grad():
            transformed = self.transform(images.detach())
        if not (torch.is_grad_enabled() and images.requires_grad):
            return transformed
        stand_in = self.surrogate(images)
        if stand_in.shape != transformed.shape:
            raise InputError(
                f"surrogate must return the transform's shape {tuple(transformed.shape)}, "
                f"got {tuple(stand_in.shape)}"
            )
        return _Replace.apply(stand_in, transformed)  # type: ignore[no-untyped-call]


class _Replace(torch.autograd.Function):
    """The second tensor's value with the first one's gradient; `a + (b - a).detach()` would round."""

    @staticmethod
    def forward(ctx: Any, stand_in: Tensor, value: Tensor) -> Tensor:
        return value.clone()

    @staticmethod
    def backward(ctx: Any, *gradients: Tensor) -> tuple[Tensor, None]:
        return gradients[0], None


@final
class Averaged(nn.Module):
    """Mean logits over draws of a stochastic model: EOT.

    Logits, not losses, because a model returns logits. Cross-entropy and margin are convex in the logits, so
    the loss of the mean never exceeds the mean loss: an attack that raises it has raised a lower bound of the
    expected loss. Mean log-probabilities are the same thing: they differ from mean logits by one number an
    image, which neither loss nor the prediction sees.

    The images are repeated, draws apart, and go through the model in as few calls as `chunk` allows. With
    more than one call, the backward pass computes each call anew with the same random numbers instead of
    keeping its graph: one chunk's memory at a time, for one more forward pass. The model must therefore draw
    from torch's default generator.

    Args:
        model: Images to logits, other ones at every call.
        draws: Calls averaged for each image.
        chunk: Images in one call at most; a batch larger than this goes through once a draw.
    """

    def __init__(self, model: Callable[[Tensor], Logits], draws: int, *, chunk: int = 1024) -> None:
        super().__init__()
        check_at_least(draws, 1, "draws")
        check_at_least(chunk, 1, "chunk")
        self.model = model
        self.draws = draws
        self.chunk = chunk
        self.training = False

    def extra_repr(self) -> str:
        """Draws and chunk, for `repr`."""
        return f"draws={self.draws}, chunk={self.chunk}"

    def forward(self, images: Tensor) -> Logits:
        """Mean logits of each image, or of whatever the model takes in its place, a row an image.

        The gradient is that of a plain loop over the draws.
        """
        at_once = min(self.draws, max(1, self.chunk // max(1, len(images))))
        counts = [min(at_once, self.draws - done) for done in range(0, self.draws, at_once)]
        if len(counts) > 1 and torch.is_grad_enabled() and images.requires_grad:
            sums = [checkpoint(self._sum, images, count, use_reentrant=False) for count in counts]
        else:
            sums = [self._sum(images, count) for count in counts]
        return torch.stack(sums).sum(dim=0) / self.draws

    def _sum(self, images: Tensor, draws: int) -> Logits:
        repeated = images.repeat(draws, *(1 for _ in images.shape[1:]))
        return self.model(repeated).unflatten(0, (draws, len(images))).sum(dim=0)
