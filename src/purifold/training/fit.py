"""The training loop: every classifier and autoencoder goes through it."""

import copy
import tempfile
from contextlib import nullcontext
from dataclasses import asdict, replace
from pathlib import Path
from time import perf_counter
from typing import TYPE_CHECKING

from torch import nn

from purifold import storage
from purifold.data.split import Split
from purifold.errors import InputError
from purifold.tf32 import tf32
from purifold.training.config import TrainingConfig
from purifold.training.device import Accelerator, open_fabric, put_back
from purifold.training.logs import closed, logger
from purifold.training.objective import TrainingLoss
from purifold.training.parallel import in_processes
from purifold.training.progress import History
from purifold.training.run import Report, Run, Task

if TYPE_CHECKING:
    import lightning_fabric


def fit(
    model: nn.Module,
    train: Split,
    loss: TrainingLoss,
    config: TrainingConfig,
    *,
    seed: int,
    validation: Split | None = None,
    folder: Path | None = None,
    checkpoint_every: int = 1,
    accelerator: Accelerator = "auto",
    devices: int = 1,
    progress: Report | None = None,
    logs: Path | None = None,
) -> History:
    """Trains `model` in place.

    On return, and when an error ends it, the model is in evaluation mode (what is trained is there to be
    used), on the device it came on, without gradients; after an error its weights are those of the moment.
    The caller's random generators are untouched. Equal arguments give equal weights, bit for bit on a CPU
    with a given number of threads, also when the run was killed and resumed in between. A batch that does not
    fit into the memory of a single device is gone through in parts from then on, see `training.parts`: the
    weights are then those of other noise, and of other statistics where layers normalise over the batch. An
    NVIDIA GPU computes float32 products in TF32 here; what was set is put back.

    Args:
        model: Its parameters that ask for gradients are trained; all of its parts are put in training mode.
        train: Shuffled anew each epoch. The last batch may be smaller; with several devices, up to
            `devices` - 1 images are left out of an epoch, other ones each time.
        loss: What it uses beside the model must be on the device of the images.
        config: All that is to be hashed with the seed and the data when the weights are stored.
        seed: Of the order, the augmentation and all noise, but not of the initial weights.
        validation: Judged after each epoch, with the same noise each time.
        folder: Its `checkpoint.safetensors` is what a run with the same arguments goes on from; it stays
            there at the end. One of another configuration, seed or data is refused; a change of the loss or
            of the model's code goes unnoticed.
        checkpoint_every: Epochs between checkpoints; the last epoch always gets one.
        accelerator: "auto" takes a GPU if there is one.
        devices: Each gets its share of every batch, in a process of its own; then model and loss must be
            picklable, and the batch statistics of a normalisation layer are those of the first share.
        progress: Called after each update (on a GPU after every 25th and an epoch's last).
        logs: Folder of TensorBoard's event files: the loss of each update, and the `History` of each epoch.

    Raises:
        InputError: Arguments that do not go together.
        Failure: The loss or a weight is not finite, the disk is full, a checkpoint is damaged. The
            checkpoint that was there before is kept.
    """
    task = Task(
        model=model,
        train=train,
        validation=validation,
        loss=loss,
        config=config,
        seed=seed,
        folder=folder,
        checkpoint_every=checkpoint_every,
    )
    _check(task, devices)
    with put_back(model):
        fabric = open_fabric(accelerator, devices, config.precision, None if logs is None else logger(logs))
        return _train(fabric, task, progress) if devices == 1 else _train_in_processes(fabric, task, progress)


def _train(fabric: "lightning_fabric.Fabric", task: Task, report: Report | None) -> History:
    run = Run(fabric, task, report)
    history = run.state.history
    on_gpu = fabric.device.type == "cuda"
    with closed(fabric), tf32(allowed=True) if on_gpu else nullcontext():
        while not run.finished:
            epoch, started = len(history) + 1, perf_counter()
            train_loss = run.train(epoch)
            validation_loss = run.validate(epoch, train_loss)
            history.train_loss.append(train_loss)
            if validation_loss is not None:
                history.validation_loss.append(validation_loss)
            history.learning_rate.append(run.rate(epoch, run.steps))
            history.seconds.append(perf_counter() - started)
            run.end_epoch(epoch)
    if task.config.patience is not None:
        task.model.load_state_dict(run.state.best)
    return history


def _train_in_processes(fabric: "lightning_fabric.Fabric", task: Task, report: Report | None) -> History:
    # Through a file: Fabric's queue takes no more than a pipe holds, and no tensors of an ended process.
    with tempfile.TemporaryDirectory() as folder:
        result = Path(folder) / "result.safetensors"
        in_processes(fabric, _train_and_write, task, result, progress=report)
        weights, history = storage.read(result)
    task.model.load_state_dict(weights)
    return History(**history)


def _train_and_write(
    fabric: "lightning_fabric.Fabric", task: Task, result: Path, send: Report | None
) -> None:
    task = replace(task, model=copy.deepcopy(task.model))  # out of the memory that the processes share
    history = _train(fabric, task, send)
    if fabric.is_global_zero:
        storage.write(result, task.model.state_dict(), asdict(history))


def _check(task: Task, devices: int) -> None:
    config, train, validation = task.config, task.train, task.validation
    if task.checkpoint_every < 1:
        raise InputError(f"checkpoint_every must be 1 or above, got {task.checkpoint_every}")
    if devices < 1 or config.batch_size % devices:
        raise InputError(f"devices must divide batch_size {config.batch_size}, got {devices}")
    for name, split in (("train", train), ("validation", validation)):
        if split is not None and len(split) < devices:
            raise InputError(f"{name} must have at least one image a device ({devices}), got {len(split)}")
    if validation is not None and validation.shape != train.shape:
        raise InputError(
            f"validation must have images of shape {train.shape} as train, got {validation.shape}"
        )
    if config.patience is not None and validation is None:
        raise InputError(
            "patience needs validation images to watch, got None; leave it out or hold images out"
        )
    if not any(parameter.requires_grad for parameter in task.model.parameters()):
        raise InputError("model must have parameters that ask for gradients, got none; is it frozen?")
