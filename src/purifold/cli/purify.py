"""Commands that put a purifier to use: train one, purify images with it."""

from pathlib import Path
from typing import Annotated

import typer

from purifold.cli.options import DataRoot, Debug, Scale, ScaleOption, Seed, StoreAddress, TensorBoard
from purifold.errors import InputError


def train(
    data: Annotated[str, typer.Option(help="Data set or folder; see `purifold list data`.")],
    out: Annotated[Path, typer.Option(help="Folder of the weights, for `purifold purify`.")],
    data_root: DataRoot = None,
    defense: Annotated[
        str, typer.Option(help="With its options; see `purifold list defenses`.")
    ] = "patch-vae",
    store: StoreAddress = "runs/store",
    scale: Scale = ScaleOption.cpu,
    seed: Seed = 0,
    tensorboard: TensorBoard = None,
    debug: Debug = False,
) -> None:
    """Trains a purifier and puts its weights in a folder: safetensors with a JSON description.

    Example: `purifold train --data digits --defense patch-vae:patch=4,stride=2 --scale smoke --out weights`
    """
    from purifold.cli.options import resources_of, store_of
    from purifold.engine.progress import shown
    from purifold.engine.scale import SCALES
    from purifold.engine.weights import train_purifier

    with shown() as listener:
        autoencoders = train_purifier(
            defense,
            data,
            scale=SCALES[scale.value],
            resources=resources_of(data_root, tensorboard),
            store=store_of(store),
            folder=out,
            seed=seed,
            listener=listener,
        )
    untrained = "" if autoencoders else f" ({defense} has nothing to train)"
    typer.echo(f"wrote {out}{untrained}; use it with: purifold purify IN OUT --weights {out}")


def purify(
    source: Annotated[Path, typer.Argument(metavar="IN", help="An image, or a folder of images.")],
    target: Annotated[
        Path, typer.Argument(metavar="OUT", help="An image file, or a folder, which gets PNG files.")
    ],
    weights: Annotated[Path, typer.Option(help="Folder that `purifold train` wrote.")],
    options: Annotated[
        str, typer.Option(help="What to change without training, as stride=8,latent_scale=0.")
    ] = "",
    seed: Annotated[int, typer.Option(help="Of the sampling; each image has noise of its own.")] = 0,
    debug: Debug = False,
) -> None:
    """Purifies an image, or all images below a folder; goes on where it was stopped.

    Images may be of any size and format that Pillow reads. Transparency is kept; what has more than 8 bits a
    channel, several frames or other colours than grey and RGB is left out, with the reason.

    Example: `purifold purify photos purified --weights weights`
    """
    if not source.exists():
        raise InputError(f"there is no image or folder {source}")
    from purifold.cli.options import resources_of
    from purifold.engine.purify_run import purify_paths

    device = resources_of(None).device
    typer.echo(purify_paths(source, target, weights, options, seed=seed, device=device))
