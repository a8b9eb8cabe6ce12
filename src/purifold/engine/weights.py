"""A trained purifier in a folder: a JSON description and safetensors, which `purifold purify` reads."""

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, final

from torch import nn

from purifold.autoencoders.magnet import MagnetSpec
from purifold.autoencoders.patch_spec import PatchSpec
from purifold.autoencoders.spec import AutoencoderSpec
from purifold.data.load import defaults, load
from purifold.defenses.base import Purifier
from purifold.defenses.recipe import Recipe, parse
from purifold.engine.local import run
from purifold.engine.progress import Listener
from purifold.engine.scale import Scale
from purifold.engine.step import Resources
from purifold.engine.steps.data import Data
from purifold.engine.steps.training import Training
from purifold.engine.store import Store
from purifold.engine.trainings import Workshop
from purifold.errors import Failure, InputError
from purifold.networks.base import Shape
from purifold.options import settings
from purifold.storage import check_writable, write_bytes
from purifold.training.checkpoint import WEIGHTS, load_into

DESCRIPTION = "purifier.json"
SPECS = (AutoencoderSpec, MagnetSpec, PatchSpec)
"""Descriptions of what is built from an image shape alone."""


@final
@dataclass(frozen=True, kw_only=True)
class Description:
    """What the weights in a folder are of.

    Args:
        defense: As `purifold.defenses.recipe.parse` takes it.
        network: Of autoencoders that the defense does not settle.
        latent: Likewise.
        shape: (channel, height, width) of the images that were trained on.
        data: Their name and the hash of the training part.
        weights: Keys of the artefacts, in the order of the recipe.
    """

    defense: str
    network: str
    latent: int
    shape: tuple[int, ...]
    data: tuple[str, str]
    weights: tuple[str, ...]

    def specs(self, recipe: Recipe) -> tuple[Any, ...]:
        """What the recipe needs trained."""
        return recipe.specs(network=self.network, latent=self.latent)


def train_purifier(
    defense: str,
    data: str,
    *,
    scale: Scale,
    resources: Resources,
    store: Store,
    folder: Path,
    seed: int,
    listener: Listener,
) -> int:
    """Trains what a defense needs, as far as the store lacks it, and puts it in `folder`; says how many.

    Args:
        defense: A recipe with a purifier and no thresholds.
        data: As `purifold.data.load` takes it.
        scale: How long is trained.
        resources: Of this machine.
        store: Where the weights are found and published.
        folder: Written last, the description at the end.
        seed: Of weights and training.
        listener: Told what happens.
    """
    recipe, known = parse(defense), defaults(data)
    _check_kinds(recipe)
    found = Data.named(data, resources)
    if not found.hashes[0]:
        raise InputError(f"{data} has no training images; choose a data set or a folder that has")
    shop = Workshop(data=found, scale=scale, resources=resources, seed=seed)
    specs = recipe.specs(network=known.autoencoder, latent=known.latent)
    steps: tuple[Training[Any], ...] = tuple(shop.training(spec) for spec in specs)
    shape = load(data, resources.data_root).shape
    _built(recipe, [spec.build(shape).eval() for spec in specs])  # what cannot work is refused now
    described = Description(
        defense=str(recipe),
        network=known.autoencoder,
        latent=known.latent,
        shape=shape,
        data=(found.name, found.hashes[0]),
        weights=tuple(step.key for step in steps),
    )
    _check_folder(folder, described)
    run(steps, store, resources, listener)
    for step in steps:
        write_bytes(_weights(folder, step.key), (store.fetch(step) / WEIGHTS).read_bytes())
    write_bytes(folder / DESCRIPTION, json.dumps(asdict(described), indent=2).encode() + b"\n")
    return len(steps)


def load_purifier(folder: Path, options: str = "") -> tuple[Purifier, Shape, str]:
    """The purifier that a folder holds, ready to use, the image shape it was trained on, and its full name.

    Args:
        folder: Written by `train_purifier`.
        options: "stride=8,latent_scale=0": what to change of the defense without training again.
    """
    described = _described(folder)
    trained_as = parse(described.defense)
    recipe = trained_as.with_options(**settings(f":{options}")[1])
    specs = described.specs(recipe)
    for spec, other in zip(specs, described.specs(trained_as), strict=True):
        if spec != other:
            raise InputError(
                f"{options!r} asks for weights that {folder} does not hold; train the defense anew"
            )
    channels, height, width = described.shape
    modules = [spec.build((channels, height, width)) for spec in specs]
    for module, key in zip(modules, described.weights, strict=True):
        path = _weights(folder, key)
        if not path.exists():
            raise Failure(f"{folder} lacks {path.name}; make it again with `purifold train`")
        load_into(module.eval().requires_grad_(False), path)
    return _built(recipe, modules), (channels, height, width), str(recipe)


def _built(recipe: Recipe, trained: list[nn.Module]) -> Purifier:
    purifier = recipe.build(nn.Identity().eval(), trained).purifier
    if purifier is None:
        raise InputError(f"defense {recipe.name} has no purifier; choose one that changes images")
    return purifier


def _check_kinds(recipe: Recipe) -> None:
    if any(unfinished.func not in SPECS for unfinished in recipe.autoencoders):
        raise InputError(
            f"defense {recipe.name} needs a classifier to be trained and cannot be kept as a purifier alone; "
            "choose one of autoencoders, such as patch-vae"
        )


def _check_folder(folder: Path, described: Description) -> None:
    """Refuses a folder of another purifier or of other things, and one that cannot be written."""
    begun = (".safetensors", ".partial")  # of a run that was killed before its description
    if (folder / DESCRIPTION).exists():
        if _described(folder) != described:
            raise InputError(f"{folder} holds another purifier; choose another folder")
    elif folder.is_dir() and any(path.suffix not in begun for path in folder.iterdir()):
        raise InputError(f"{folder} holds other files and no {DESCRIPTION}; choose another folder")
    check_writable(folder)


def _described(folder: Path) -> Description:
    path = folder / DESCRIPTION
    try:
        content: Mapping[str, Any] = json.loads(path.read_text())
        lists = {name: tuple(content[name]) for name in ("shape", "data", "weights")}
        return Description(**{**content, **lists})
    except (FileNotFoundError, NotADirectoryError):
        raise InputError(
            f"{folder} holds no {DESCRIPTION}; make it with `purifold train --data DATA --out {folder}`"
        ) from None
    except OSError as error:
        raise InputError(f"cannot read {path} ({error.strerror}); check who may") from error
    except (ValueError, KeyError, TypeError) as error:
        raise Failure(f"{path} is damaged; make it again with `purifold train`") from error


def _weights(folder: Path, key: str) -> Path:
    return folder / f"{key}.safetensors"
