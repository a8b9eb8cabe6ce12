"""A training by Pythae of the encoder and decoder of one of our variational autoencoders.

They are written as Pythae's users would write them, in torch's own layers and memory layout, or are ours:
ours make one layer of an up-sampling and the convolution after it, pool before the ReLU, and lie in memory
channels last.
"""

import contextlib
import io
import tempfile
from itertools import pairwise
from typing import Any

import torch
from benchmarks.timing import seconds
from torch import Tensor, nn

from purifold.autoencoders.base import Autoencoder
from purifold.data.split import Split
from purifold.networks.upsampled import UpsampledConv
from purifold.training.config import TrainingConfig


def in_torch_layers(network: nn.Module) -> nn.Module:
    """The same function of the same weights: max-pools after their ReLU, up-sampling by itself."""
    for name, child in network.named_children():
        setattr(network, name, in_torch_layers(child))
    if isinstance(network, UpsampledConv):
        network = nn.Sequential(nn.Upsample(scale_factor=2), network.convolution)
    if isinstance(network, nn.Sequential):
        network = nn.Sequential(*_pooled_last(list(network)))
    return network.to(memory_format=torch.contiguous_format)


def _pooled_last(layers: list[nn.Module]) -> list[nn.Module]:
    for place, (layer, after) in enumerate(pairwise(layers)):
        if isinstance(layer, nn.MaxPool2d) and isinstance(after, nn.ReLU):
            layers[place : place + 2] = after, layer
    return layers


def train_with_pythae(
    autoencoder: Autoencoder, shown: Split, settings: TrainingConfig
) -> tuple[float, float]:
    """Seconds of a training on the CPU by these settings, and its last epoch's loss.

    Raises:
        ImportError: Pythae is not installed.
    """
    with contextlib.redirect_stderr(io.StringIO()):  # where its loggers write from their import on
        from pythae.data.datasets import BaseDataset
        from pythae.models import VAE, VAEConfig
        from pythae.trainers import BaseTrainer, BaseTrainerConfig

    class Trainer(BaseTrainer):
        """Keeps the loss, which Pythae writes to its log alone."""

        def train_step(self, epoch: int) -> Any:
            self.last = super().train_step(epoch)
            return self.last

    objective = VAEConfig(
        input_dim=shown.shape, latent_dim=autoencoder.latent_size, reconstruction_loss="bce"
    )
    with tempfile.TemporaryDirectory() as folder, contextlib.redirect_stderr(io.StringIO()):
        plan = BaseTrainerConfig(
            output_dir=folder,
            num_epochs=settings.epochs,
            per_device_train_batch_size=settings.batch_size,
            optimizer_cls="Adam",
            learning_rate=settings.learning_rate,
            no_cuda=True,
        )
        dataset = BaseDataset(shown.images(), shown.labels)
        trainer = Trainer(VAE(objective, *_wrapped(autoencoder)), dataset, training_config=plan)
        taken = seconds(trainer.train)
    return taken, float(trainer.last)


def _wrapped(autoencoder: Autoencoder) -> tuple[Any, Any]:
    from pythae.models.base.base_utils import ModelOutput
    from pythae.models.nn import BaseDecoder, BaseEncoder

    class Encoder(BaseEncoder):
        def __init__(self) -> None:
            super().__init__()
            self.layers = autoencoder.encoder

        def forward(self, images: Tensor) -> Any:
            mean, log_variance = self.layers(images).chunk(2, dim=1)
            return ModelOutput(embedding=mean, log_covariance=log_variance)

    class Decoder(BaseDecoder):
        def __init__(self) -> None:
            super().__init__()
            self.layers = autoencoder.decoder

        def forward(self, latent: Tensor) -> Any:
            return ModelOutput(reconstruction=self.layers(latent))

    return Encoder(), Decoder()
