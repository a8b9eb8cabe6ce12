"""A training on its device: one epoch, one validation, one checkpoint."""

import hashlib
import math
from collections.abc import Callable
from dataclasses import dataclass, fields
from functools import partial
from pathlib import Path
from time import perf_counter
from typing import TYPE_CHECKING, Any, Literal, TypeAlias, final

import torch
from torch import Tensor, nn

from purifold.batches import in_batches
from purifold.data.split import Split
from purifold.errors import Failure
from purifold.options import counts
from purifold.randomness import seeded
from purifold.training.augment import FlipCrop
from purifold.training.config import TrainingConfig
from purifold.training.crops import random_crops
from purifold.training.objective import Objective, TrainingLoss, optimizer
from purifold.training.parts import Parts
from purifold.training.progress import Progress
from purifold.training.schedule import rate
from purifold.training.state import State
from purifold.types import Images

if TYPE_CHECKING:
    import lightning_fabric

Report: TypeAlias = Callable[[Progress], None]

SILENT_STEPS = 25
"""Updates that a GPU makes between two looks at their losses, for each of which it must stop."""


@final
@dataclass(frozen=True, kw_only=True)
class Task:
    """The arguments of `fit` that every process gets."""

    model: nn.Module
    train: Split
    validation: Split | None
    loss: TrainingLoss
    config: TrainingConfig
    seed: int
    folder: Path | None
    checkpoint_every: int

    def identity(self) -> dict[str, Any]:
        """What a checkpoint must share with the run that goes on from it."""
        held_out = None if self.validation is None else self.validation.hash
        settings = {
            entry.name: getattr(self.config, entry.name)
            for entry in fields(self.config)
            if counts(entry, self.config)
        }
        return {**settings, "seed": self.seed, "train": self.train.hash, "validation": held_out}


@final
class Run:
    """A task on the device of this process, with the state that it has reached.

    Args:
        fabric: Launched.
        task: Its model is moved and trained in place.
        report: Called in the first process alone.
    """

    def __init__(self, fabric: "lightning_fabric.Fabric", task: Task, report: Report | None) -> None:
        self.fabric, self.task, self.report = fabric, task, report
        self.started = perf_counter()
        self.split = task.train.to(fabric.device)
        self.held_out = None if task.validation is None else task.validation.to(fabric.device)
        shown = len(task.train) * task.config.visits
        self.images = shown - shown % fabric.world_size
        self.steps = math.ceil(self.images / task.config.batch_size)
        task.model.zero_grad()
        bare = optimizer(task.model, task.config)
        self.objective, self.optimizer = fabric.setup(Objective(task.model, task.loss), bare)
        self.state = State(model=task.model, optimizer=bare, scaler=fabric.strategy.precision)
        self.parts = Parts(model=task.model, device=fabric.device, size=task.config.batch_size)
        if task.folder:
            self.state.resume(task.folder, task.identity())

    @property
    def finished(self) -> bool:
        """Whether all epochs are over, or the validation loss has not fallen for `patience` of them."""
        history, config = self.state.history, self.task.config
        waited = len(history) - history.best
        return len(history) >= config.epochs or (config.patience is not None and waited >= config.patience)

    def train(self, epoch: int) -> float:
        """One pass over the training images, in an order that seed and epoch fix; their mean loss."""
        generator = torch.Generator().manual_seed(_derived(self.task.seed, epoch, "order"))
        shown = len(self.task.train) * self.task.config.visits
        order = torch.randperm(shown, generator=generator)[: self.images] % len(self.task.train)
        batches = order.to(self.fabric.device).split(self.task.config.batch_size)
        change = self._augmentation(generator)
        every = 1 if self.fabric.device.type == "cpu" else SILENT_STEPS
        losses: list[float] = []
        waiting: list[Tensor] = []
        self.task.model.train()
        with seeded(_derived(self.task.seed, epoch, self.fabric.global_rank)):
            for step, rows in enumerate(batches, start=1):
                waiting.append(self._update(rows, change, self.rate(epoch, step)))
                if step % every == 0 or step == self.steps:
                    self._collect(waiting, losses, epoch)
        # The last update comes after the last loss.
        if not all(tensor.isfinite().all() for tensor in self.task.model.state_dict().values()):
            raise self._diverged(f"weights are not finite after epoch {epoch}", losses)
        return sum(loss * len(rows) for loss, rows in zip(losses, batches, strict=True)) / self.images

    def validate(self, epoch: int, train_loss: float) -> float | None:
        """Mean loss of the held-out images, or None where there are none.

        Gradients stay on: a loss may need those with respect to the images, as the contractive one does.
        """
        if self.held_out is None:
            return None
        task, rank = self.task, self.fabric.global_rank
        share = self.held_out.select(slice(rank, None, self.fabric.world_size))
        task.model.eval()
        with seeded(_derived(task.seed, "validation", rank)), self.fabric.autocast():
            rows = torch.arange(len(share), device=share.labels.device)
            summed = partial(self._summed, share)
            sums = in_batches(summed, rows, self.parts.size, grow=False)  # the same noise in every epoch
        mean = self._across(sums.sum(), "sum").item() / len(self.held_out)
        if not math.isfinite(mean):
            raise self._diverged(f"validation loss is {mean} after epoch {epoch}", [train_loss])
        return mean

    def end_epoch(self, epoch: int) -> None:
        """Keeps the weights if they are the best, writes the checkpoint if one is due, and logs the epoch."""
        task = self.task
        self.state.drop_vanished()
        if task.config.patience is not None:
            self.state.keep_best()
        due = epoch % task.checkpoint_every == 0 or self.finished
        if task.folder and due and self.fabric.is_global_zero:
            self.state.save(task.folder, task.identity())
        latest = {f"epoch/{name}": values[-1] for name, values in vars(self.state.history).items() if values}
        self.fabric.log_dict(latest, step=epoch)

    def rate(self, epoch: int, step: int) -> float:
        """Learning rate of an update; both count from 1."""
        config = self.task.config
        return rate(config, (epoch - 1) * self.steps + step - 1, config.epochs * self.steps)

    def _images(self, split: Split, rows: Tensor) -> Images:
        side = self.task.config.crop
        return split.images(rows) if side is None else random_crops(split, rows, side)

    def _augmentation(self, generator: torch.Generator) -> FlipCrop | None:
        if self.task.config.augment == "none":
            return None
        return FlipCrop.draw(len(self.task.train), generator, self.fabric.device)

    def _update(self, rows: Tensor, change: FlipCrop | None, learning_rate: float) -> Tensor:
        rows = rows[self.fabric.global_rank :: self.fabric.world_size]
        for group in self.state.optimizer.param_groups:
            group["lr"] = learning_rate
        backward = partial(self._backward, change)
        # One device of several must not go on alone: the others would wait for its gradient.
        alone = self.fabric.world_size == 1
        loss = self.parts.descend(rows, backward) if alone else backward(rows, 1.0)
        self.optimizer.step()
        self.optimizer.zero_grad()
        return loss

    def _backward(self, change: FlipCrop | None, rows: Tensor, share: float) -> Tensor:
        """Adds the gradient of the mean loss of these images, times `share`; gives that loss."""
        images = self._images(self.split, rows)
        if change:
            images = change(images, rows)
        loss: Tensor = self.objective(images, self.split.labels[rows]).mean() * share
        self.fabric.backward(loss)
        return loss.detach()

    def _summed(self, split: Split, rows: Tensor) -> Tensor:
        """The loss of these images, summed, as a tensor of one."""
        losses = self.task.loss(self.task.model, self._images(split, rows), split.labels[rows])
        return losses.detach().float().sum()[None]

    def _collect(self, waiting: list[Tensor], losses: list[float], epoch: int) -> None:
        """Adds the losses of the latest updates, averaged over the devices; refuses NaN and infinity."""
        for loss in self._across(torch.stack(waiting), "mean").tolist():
            if not math.isfinite(loss):
                step = f"epoch {epoch}, step {len(losses) + 1} of {self.steps}"
                raise self._diverged(f"training loss is {loss} in {step}", losses)
            losses.append(loss)
            if self.fabric.loggers:
                self.fabric.log_dict({"update/loss": loss}, step=(epoch - 1) * self.steps + len(losses))
        waiting.clear()
        if self.report and self.fabric.is_global_zero:
            self.report(
                Progress(
                    epoch=epoch,
                    epochs=self.task.config.epochs,
                    step=len(losses),
                    steps=self.steps,
                    loss=losses[-1],
                    seconds=perf_counter() - self.started,
                )
            )

    def _across(self, values: Tensor, reduction: Literal["mean", "sum"]) -> Tensor:
        reduced: Tensor = self.fabric.all_reduce(values, reduce_op=reduction)  # type: ignore[assignment]
        return reduced

    def _diverged(self, what: str, losses: list[float]) -> Failure:
        finite = [*self.state.history.train_loss, *losses]
        if not finite:
            return Failure(f"the {what}, the first of all; look at the model, the loss or the images")
        rate, folder = self.task.config.learning_rate, self.task.folder
        kept = f"; the last checkpoint is kept in {folder}" if folder and len(self.state.history) else ""
        return Failure(
            f"the {what}; the last finite training loss was {finite[-1]:.4g}; "
            f"the likely cause is the learning rate of {rate:g}, try a tenth of it{kept}"
        )


def _derived(*parts: object) -> int:
    """A seed of its own for each purpose."""
    return int.from_bytes(hashlib.sha256(repr(parts).encode()).digest()[:8], "big") >> 1
