"""What PuVAE costs: beside Defense-GAN, and against the number of classes.

128 MNIST images at a time, one process; the weights are untrained, since they do not matter for the time.
Run by `make bench`.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial

import torch
from benchmarks.command import start
from benchmarks.timing import median_seconds, seconds
from torch import Tensor

from purifold.autoencoders.conditional_spec import ConditionalSpec, Entrance
from purifold.autoencoders.generative import GeneratorSpec
from purifold.bfloat16 import has_bfloat16
from purifold.defenses.base import Purifier
from purifold.defenses.defense_gan import Projection
from purifold.defenses.precision import Precision
from purifold.defenses.puvae import ClassSearch
from purifold.networks.base import Shape
from purifold.randomness import seeded
from purifold.report.axes import grid, share_legend, svg

IMAGES = 128
CLASSES = (10, 43, 100, 1000)
PUBLISHED_WIDTH = 64
PAPER = {"puvae": 0.11, "defense-gan": 14.80}
"""Seconds on a TITAN V (table 5)."""
PRECISIONS: tuple[Precision, ...] = ("float32", "bfloat16") if has_bfloat16("cpu") else ("float32",)
ENTRANCES: tuple[Entrance, ...] = ("dense", "planes")
ASKED_RATIO, ASKED_SECONDS, ASKED_GROWTH = 500, 0.11, 3.0


@dataclass(frozen=True)
class Row:
    """Seconds of one purifier for `IMAGES` images."""

    name: str
    seconds: float


def main() -> None:
    """Times, writes the numbers and the figure, and prints them beside what was asked."""
    bench = start(__doc__, "results/puvae/bench-puvae.json")
    images = bench.split("mnist", "test", bench.size(IMAGES, 1)).images()
    by_classes = _by_classes(images, bench.size(CLASSES, (10, 100)))
    rivals = _rivals(images, *bench.size((200, 20), (1, 1)))
    bench.write(
        {
            "images": len(images),
            "by_classes": by_classes,
            "label": _labels(images),
            "defense_gan": [vars(row) for row in rivals],
            "printed": PAPER,
        }
    )
    if bench.out:
        figures = bench.out.parent / "figures"
        figures.mkdir(exist_ok=True)
        (figures / "seconds-by-classes.svg").write_text(_drawn(by_classes))
    _tell(by_classes, rivals)


def _tell(by_classes: dict[str, dict[int, float]], rivals: list[Row]) -> None:
    for precision, taken in by_classes.items():
        print(f"puvae in {precision}: {taken[10]:.3f} s of 10 classes (asked: {ASKED_SECONDS})")
        print(f"  100 classes {taken[100] / taken[10]:.2f} times that (asked: {ASKED_GROWTH})")
        for row in rivals:
            print(f"  {row.name}: {row.seconds / taken[10]:.0f} times that (asked: {ASKED_RATIO})")


def _by_classes(images: Tensor, classes: Sequence[int]) -> dict[str, dict[int, float]]:
    shape = tuple(images.shape[1:])
    return {
        precision: {count: _searched(images, shape, count, precision, "dense") for count in classes}
        for precision in PRECISIONS
    }


def _labels(images: Tensor) -> dict[str, float]:
    """Seconds by where the label enters, 10 classes, float32."""
    shape = tuple(images.shape[1:])
    return {entrance: _searched(images, shape, 10, "float32", entrance) for entrance in ENTRANCES}


def _searched(images: Tensor, shape: Shape, classes: int, precision: Precision, label: Entrance) -> float:
    with seeded(0):
        autoencoder = ConditionalSpec(label=label).build(shape, classes)
    search = ClassSearch(autoencoder, precision=precision).eval()
    return median_seconds(partial(_purify, search, images), repeats=5 if classes > CLASSES[0] else 15)


def _rivals(images: Tensor, steps: int, restarts: int) -> list[Row]:
    """Defense-GAN, once: the 200 steps of 20 restarts take a minute."""
    rows = []
    for width in (GeneratorSpec().width, PUBLISHED_WIDTH):
        for precision in PRECISIONS:
            with seeded(0):
                generator = GeneratorSpec(width=width).build(tuple(images.shape[1:]))
            projection = (
                Projection(generator, steps=steps, restarts=restarts, precision=precision)
                .eval()
                .requires_grad_(False)
            )
            name = f"defense-gan, width {width}, {precision}"
            rows.append(Row(name, seconds(partial(_purify, projection, images))))
    return rows


@torch.no_grad()
def _purify(purifier: Purifier, images: Tensor) -> None:
    purifier(images)


def _drawn(by_classes: dict[str, dict[int, float]]) -> str:
    figure, (axes,) = grid(1)
    for precision, taken in by_classes.items():
        axes.plot(list(taken), list(taken.values()), marker="o", ms=3, label=precision)
    axes.set(xscale="log", yscale="log", xlabel="classes", ylabel=f"seconds for {IMAGES} images")
    share_legend(figure, [axes])
    return svg(figure)


if __name__ == "__main__":
    main()
