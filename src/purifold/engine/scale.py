"""How large a study is: a test of the plumbing, a run for two cores, or the papers' sizes."""

from dataclasses import dataclass, replace
from typing import Literal

from purifold.training.config import TrainingConfig

ScaleName = Literal["smoke", "cpu", "paper"]

LONGER = 3
"""Times the images of SGD that a classifier sees with Adam, at a constant rate."""
VARIED = 2
"""Times the images that it sees with SGD where each is mirrored and shifted anew."""
SLOWER = 3
"""Times the images of other autoencoders that a class-conditional one sees: it reconstructs long before its
classes are told apart."""
DECAY = 1e-4
"""L2 in its Adam's gradient. Without it weights that clean images leave alone, such as those of empty
margins, walk at random as fast as all others, and under noise they move the code."""

PASSES = 20
"""Epochs of a VAE of patches: each shows as many squares of an image as that takes."""
WIDE = 32
"""Side of the largest squares that are learnt at the autoencoders' rate; networks of larger ones have more
weights in dense layers, and get a third of it."""
SQUARE = 16
"""Side of the squares of which as many are seen as autoencoders see images; of larger ones fewer."""


@dataclass(frozen=True, kw_only=True)
class Scale:
    """Sizes of a study; everything else about it stays the same.

    Args:
        name: As on the command line.
        images: Test images judged, at most.
        seen: Training images a classifier sees, over all epochs.
        encoded: Training images an autoencoder sees, over all epochs.
        epochs: Passes of a classifier over the training images, at most, and half those of an autoencoder;
            bounds small data sets, for which `seen` is much.
        draws: Draws of a stochastic system that judge one image.
        eot: Draws that an attacker averages gradients over.
        audit: Images that each sanity check looks at.
        played: Training images that a generator's critic sees, over all epochs; 5 batches an update of the
            generator.
        batch_size: Images an update of an autoencoder.
    """

    name: ScaleName
    images: int
    seen: int
    encoded: int
    epochs: int
    draws: int
    eot: int
    audit: int
    played: int
    batch_size: int = 128

    def classifier(self, train_images: int, *, adam: bool = False, varied: bool = False) -> TrainingConfig:
        """SGD with momentum on a one-cycle schedule; or Adam at a constant rate; as long as allowed.

        Args:
            train_images: How many there are.
            adam: Which of the two; `LONGER`.
            varied: Whether each image is mirrored and shifted anew; `VARIED` times as long with SGD.
        """
        epochs = _epochs(self.seen, train_images, self.epochs)
        if adam:
            config = TrainingConfig(epochs=LONGER * epochs, learning_rate=1e-3, precision="bf16-mixed")
        else:
            config = TrainingConfig(
                epochs=VARIED * epochs if varied else epochs,
                optimizer="sgd",
                learning_rate=0.05,
                weight_decay=5e-4,
                schedule="one-cycle",
            )
        return replace(config, augment="flip-crop") if varied else config

    def adversarial(self, train_images: int) -> TrainingConfig:
        """As a classifier of clean images, in bfloat16."""
        return replace(self.classifier(train_images), precision="bf16-mixed")

    def autoencoder(self, train_images: int) -> TrainingConfig:
        """Adam on a one-cycle schedule, as long as the scale allows."""
        return TrainingConfig(
            epochs=_epochs(self.encoded, train_images, 2 * self.epochs),
            batch_size=self.batch_size,
            optimizer="adam",
            learning_rate=3e-3,
            schedule="one-cycle",
        )

    def conditional(self, train_images: int) -> TrainingConfig:
        """Adam with `DECAY`, slower than other autoencoders and `SLOWER` times as long, in bfloat16."""
        config = self.autoencoder(train_images)
        return replace(
            config,
            epochs=SLOWER * config.epochs,
            learning_rate=1e-3,
            weight_decay=DECAY,
            precision="bf16-mixed",
        )

    def mixture(self, train_images: int) -> TrainingConfig:
        """Adam at a lower rate than other autoencoders, in bfloat16; as long as allowed."""
        return replace(self.autoencoder(train_images), learning_rate=2e-3, precision="bf16-mixed")

    def patches(self, train_images: int, side: int) -> TrainingConfig:
        """As an autoencoder, on squares of `side` pixels at random places; large ones at a lower rate."""
        seen = self.encoded * SQUARE // max(side, SQUARE)
        visits = max(1, round(seen / (train_images * PASSES)))
        epochs = _epochs(seen, train_images * visits, max(PASSES, 2 * self.epochs))
        settings = replace(self.autoencoder(train_images), epochs=epochs, crop=side, visits=visits)
        return replace(settings, learning_rate=1e-3) if side > WIDE else settings

    def generator(self, train_images: int) -> TrainingConfig:
        """Adam as Gulrajani et al. have it, but for the rate; in bfloat16, as long as the scale allows."""
        return TrainingConfig(
            epochs=_epochs(self.played, train_images, 2 * self.epochs),
            batch_size=64,
            optimizer="adam",
            learning_rate=3e-4,
            momentum=0.5,
            precision="bf16-mixed",
        )


def _epochs(seen: int, train_images: int, most: int) -> int:
    return max(1, min(most, round(seen / train_images)))


SCALES: dict[str, Scale] = {
    "smoke": Scale(
        name="smoke",
        images=200,
        seen=40_000,
        encoded=80_000,
        epochs=40,
        draws=10,
        eot=5,
        audit=32,
        played=20_000,
    ),
    "cpu": Scale(
        name="cpu",
        images=1_000,
        seen=360_000,
        encoded=720_000,
        epochs=80,
        draws=10,
        eot=5,
        audit=64,
        played=2_000_000,
    ),
    "paper": Scale(
        name="paper",
        images=10_000,
        seen=3_000_000,
        encoded=6_000_000,
        epochs=200,
        draws=20,
        eot=20,
        audit=256,
        played=50_000_000,
    ),
}
