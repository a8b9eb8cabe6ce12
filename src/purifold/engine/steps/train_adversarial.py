"""The step that trains a classifier on images that are attacked while it learns."""

from dataclasses import dataclass
from typing import ClassVar, final

import torch
from torch import nn

from purifold.attacks.base import Attack
from purifold.attacks.pgd import PGD
from purifold.engine.step import Resources, Workbench
from purifold.engine.steps.data import Data
from purifold.engine.steps.training import Training
from purifold.networks.base import Classifier, build_classifier
from purifold.threat import ThreatModel
from purifold.training.adversarial import AdversarialSpec, adversarial_loss
from purifold.training.config import TrainingConfig
from purifold.types import Images, Labels, Scores

CROSSING = 1.25
"""Step of FGSM from a random point, as a share of epsilon, as in Wong et al."""


@final
@dataclass(frozen=True, kw_only=True)
class TrainAdversarial(Training[Classifier]):
    """A classifier of attacked images.

    Differs: Goodfellow et al. step off the image itself. A network soon learns where that one step ends and
    nothing else (Wong et al.: catastrophic overfitting), so FGSM starts at a random point, as theirs does.

    Args:
        data: As in `Training`, like the images, the configuration and the seed.
        images: How many.
        spec: Network and attack.
        config: How it is trained.
        seed: Of its weights and its training, attacks included.
    """

    kind: ClassVar[str] = "train-adversarial"
    version: ClassVar[int] = 2

    data: Data
    images: int
    spec: AdversarialSpec
    config: TrainingConfig
    seed: int

    @property
    def label(self) -> str:
        """What a progress line calls it."""
        return f"train {self.spec.label} on {self.data.name}"

    def build(self, resources: Resources) -> Classifier:
        """See `Training.build`."""
        data = self.data.load(resources)
        return build_classifier(self.spec.classifier, data.shape, data.classes)

    def run(self, bench: Workbench) -> None:
        """Trains the classifier; see `Step.run`."""
        attack, threat = self._attack(), ThreatModel("linf", self.spec.epsilon)

        def loss(model: nn.Module, images: Images, labels: Labels) -> Scores:
            images = images.float()  # in a budget of bfloat16 no attack stays

            def corrupt(clean: Images, classes: Labels) -> Images:
                seed = int(torch.randint(2**31, ()))
                return attack(model, clean, classes, threat, seed=seed, batch_size=len(clean))

            return adversarial_loss(model, images, labels, corrupt, self.spec.share)

        self.fitted(loss, bench)

    def _attack(self) -> Attack:
        if self.spec.method == "fgsm":
            return PGD(steps=1, step=CROSSING)
        return PGD(steps=self.spec.steps)
