"""From a description of what is to be trained to the step that trains it."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import Any, final

from purifold.autoencoders.conditional_spec import ConditionalSpec
from purifold.autoencoders.generative import GeneratorSpec
from purifold.autoencoders.magnet import MagnetSpec
from purifold.autoencoders.mixture_spec import NAME, MixtureSpec, mixture
from purifold.autoencoders.patch_spec import PatchSpec
from purifold.autoencoders.spec import AutoencoderSpec
from purifold.data.load import defaults
from purifold.engine.scale import Scale
from purifold.engine.step import Resources
from purifold.engine.steps.classifier import Classifying
from purifold.engine.steps.classifier_training import ClassifierTraining
from purifold.engine.steps.data import Data
from purifold.engine.steps.pretrained import PretrainedClassifier
from purifold.engine.steps.train_adversarial import TrainAdversarial
from purifold.engine.steps.train_autoencoder import TrainAutoencoder
from purifold.engine.steps.train_classifier import TrainClassifier
from purifold.engine.steps.train_conditional import TrainConditional
from purifold.engine.steps.train_generator import TrainGenerator
from purifold.engine.steps.train_mixture import TrainMixture
from purifold.engine.steps.train_patches import TrainPatches
from purifold.engine.steps.training import Training
from purifold.errors import InputError, unknown
from purifold.networks.base import classifier_names, trained_with_adam
from purifold.randomness import seeded
from purifold.training.adversarial import AdversarialSpec

SOURCE = 2
"""Added to the seed of a source classifier: not the weights protected, nor those of a transfer attacker."""


@final
@dataclass(frozen=True, kw_only=True)
class Workshop:
    """Where trainings are planned.

    Args:
        data: What is trained on.
        scale: How much.
        resources: Of this machine.
        seed: Of everything random.
        spared: Test images that are attacked; of a data set without a training part the others may be
            trained on.
    """

    data: Data
    scale: Scale
    resources: Resources
    seed: int
    spared: int = 0

    def classifier(self, network: str) -> Classifying:
        """The step that makes a classifier of clean images; its weights are published ones where the data
        set has no training part. Refuses a network that does not fit the images.

        Args:
            network: By name; or a Gaussian-mixture VAE, as `autoencoders.mixture_spec.mixture` reads it.
        """
        if self.data.hashes[0]:
            return self.trained(network)
        return PretrainedClassifier.named(network, self.data, self.resources)

    def trained(self, network: str) -> ClassifierTraining:
        """The step that trains a classifier of clean images."""
        spec = mixture(network)
        if spec is None and network not in classifier_names():
            raise unknown("classifier", network, [*classifier_names(), NAME])
        step = self.network(network) if spec is None else _mixture(spec, self)
        with seeded(0):
            step.build(self.resources)
        return step

    def network(self, name: str) -> TrainClassifier:
        """The step that trains the network of this name."""
        images = self.images(self.scale.seen)
        config = self.scale.classifier(
            images, adam=trained_with_adam(name), varied=defaults(self.data.name).varied
        )
        return TrainClassifier(data=self.data, images=images, network=name, config=config, seed=self.seed)

    def training(self, spec: Any) -> Training[Any]:
        """The step that trains what `spec` describes."""
        return TRAININGS[type(spec)](spec, self)

    def images(self, most: int) -> int:
        """As many training images as there are, and `most` at most."""
        return min(len(self.data.part("train", self.resources)), most)


def _autoencoder(spec: AutoencoderSpec | MagnetSpec, shop: Workshop) -> TrainAutoencoder:
    images = shop.images(shop.scale.encoded)
    config = shop.scale.autoencoder(images)
    return TrainAutoencoder(data=shop.data, images=images, spec=spec, config=config, seed=shop.seed)


def _conditional(spec: ConditionalSpec, shop: Workshop) -> TrainConditional:
    images = shop.images(shop.scale.encoded)
    return TrainConditional(
        data=shop.data,
        images=images,
        spec=spec,
        source=replace(shop, seed=shop.seed + SOURCE).trained(spec.source),
        config=shop.scale.conditional(images),
        seed=shop.seed,
    )


def _mixture(spec: MixtureSpec, shop: Workshop) -> TrainMixture:
    images = shop.images(shop.scale.encoded)
    config = shop.scale.mixture(images)
    return TrainMixture(data=shop.data, images=images, spec=spec, config=config, seed=shop.seed)


def _adversarial(spec: AdversarialSpec, shop: Workshop) -> TrainAdversarial:
    images = shop.images(shop.scale.seen)
    config = shop.scale.adversarial(images)
    return TrainAdversarial(data=shop.data, images=images, spec=spec, config=config, seed=shop.seed)


def _generator(spec: GeneratorSpec, shop: Workshop) -> TrainGenerator:
    images = shop.images(shop.scale.played)
    config = shop.scale.generator(images)
    return TrainGenerator(data=shop.data, images=images, spec=spec, config=config, seed=shop.seed)


def _patches(spec: PatchSpec, shop: Workshop) -> TrainPatches:
    _check_side(spec, shop)
    trained = bool(shop.data.hashes[0])
    images = shop.images(shop.scale.encoded) if trained else _unattacked(shop)
    return TrainPatches(
        data=shop.data,
        images=images,
        spec=spec,
        config=shop.scale.patches(images, spec.patch),
        seed=shop.seed,
        spared=0 if trained else shop.spared,
    )


def _check_side(spec: PatchSpec, shop: Workshop) -> None:
    _, height, width = shop.data.load(shop.resources).shape
    if spec.patch > min(height, width):
        raise InputError(
            f"patches of {spec.patch} pixels do not fit in the {width}x{height} images of {shop.data.name}; "
            "choose smaller patches or larger images"
        )


def _unattacked(shop: Workshop) -> int:
    """Test images that are left for training; refuses to train on those that are attacked."""
    test = len(shop.data.part("test", shop.resources))
    if not 0 < shop.spared < test:
        raise InputError(
            f"{shop.data.name} has no training images, and a VAE of patches may only see test images that "
            f"are not attacked; attack fewer than its {test}"
        )
    return test - shop.spared


TRAININGS: Mapping[type, Callable[[Any, Workshop], Training[Any]]] = {
    AutoencoderSpec: _autoencoder,
    MagnetSpec: _autoencoder,
    ConditionalSpec: _conditional,
    MixtureSpec: _mixture,
    AdversarialSpec: _adversarial,
    GeneratorSpec: _generator,
    PatchSpec: _patches,
}
