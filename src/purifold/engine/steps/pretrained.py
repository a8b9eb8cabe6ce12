"""The step that takes over a classifier whose weights were published."""

import hashlib
import json
from dataclasses import asdict, dataclass
from typing import ClassVar, final

from torch import nn

from purifold.engine.step import Resources, Workbench
from purifold.engine.steps.classifier_training import ACCURACY, accuracy
from purifold.engine.steps.data import Data
from purifold.engine.steps.training import Trained
from purifold.errors import InputError
from purifold.networks.published import published
from purifold.training.checkpoint import save_weights

DIGITS = 16


@final
@dataclass(frozen=True, kw_only=True)
class PretrainedClassifier(Trained[nn.Module]):
    """A classifier with published weights; its accuracy is that on all test images.

    Args:
        data: Images of the classes that it knows.
        network: As `published` takes it.
        weights: What the weights are: the digest of their file, or their name in a package.
    """

    kind: ClassVar[str] = "pretrained-classifier"

    data: Data
    network: str
    weights: str

    @classmethod
    def named(cls, network: str, data: Data, resources: Resources) -> "PretrainedClassifier":
        """The classifier with the weights that lie on this machine."""
        return cls(data=data, network=network, weights=_weights(network, resources))

    @property
    def label(self) -> str:
        """What a progress line calls it."""
        return f"take over {self.network} for {self.data.name}"

    def build(self, resources: Resources) -> nn.Module:
        """See `Trained.build`."""
        data = self.data.load(resources)
        return published(self.network).build(data.shape, data.classes)

    def run(self, bench: Workbench) -> None:
        """Reads the weights, and finds out what they are worth; see `Step.run`."""
        if _weights(self.network, bench.resources) != self.weights:
            raise InputError(
                f"the weights of {self.network} are not those this study was planned with; plan it again"
            )
        source, network = published(self.network), self.build(bench.resources)
        network.load_state_dict(source.read(network, source.path(bench.resources.data_root)))
        network.to(bench.resources.device).eval()
        save_weights(network, bench.folder, how=self.describe())
        found = accuracy(network, self.data.part("test", bench.resources))
        (bench.folder / ACCURACY).write_text(json.dumps(asdict(found)))


def _weights(network: str, resources: Resources) -> str:
    source = published(network)
    path = source.path(resources.data_root)
    return source.origin if path is None else hashlib.sha256(path.read_bytes()).hexdigest()[:DIGITS]
