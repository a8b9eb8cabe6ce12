"""The multi-layer perceptron that purifiers were first tried on.

Gu and Rigazio, 2014, arXiv:1412.5068, which `vae-reconstruction` takes up. That paper is not at hand: its
N200-200-10, two hidden layers of 200, is recalled, not looked up; ReLU and any image size are ours.
"""

from typing import final

from torch import nn

from purifold.networks.base import Classifier, Shape


@final
class Mlp(Classifier):
    """Dense 200, dense 200, logits."""

    name = "mlp"

    @staticmethod
    def design(shape: Shape, classes: int) -> nn.Module:
        """The layers after the normalisation; any image size."""
        channels, height, width = shape
        return nn.Sequential(
            nn.Flatten(),
            nn.Linear(channels * height * width, 200),
            nn.ReLU(inplace=True),
            nn.Linear(200, 200),
            nn.ReLU(inplace=True),
            nn.Linear(200, classes),
        )
