"""How a benchmark is started, and what it leaves: its sizes, its images, one JSON file."""

import argparse
import json
from argparse import ArgumentParser
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar

import torch
from benchmarks.timing import made

from purifold.data.load import load, sources
from purifold.data.split import Split
from purifold.engine.memory import ask_for_huge_pages

Size = TypeVar("Size")


@dataclass(frozen=True, kw_only=True)
class Bench:
    """One run of a benchmark.

    Args:
        out: JSON file; None writes none.
        smoke: Whether it is only to run, at sizes that say nothing and on random images.
        data_root: Folder of data sets; None: from the Hugging Face Hub.
        options: What the benchmark asks for besides.
    """

    out: Path | None
    smoke: bool
    data_root: Path | None
    options: argparse.Namespace

    def size(self, measured: Size, smoke: Size) -> Size:
        """The first, or in a smoke run the second."""
        return smoke if self.smoke else measured

    def split(self, name: str, part: str, count: int) -> Split:
        """Images of a part of a data set: at most `count`, or so many random ones."""
        return (
            self._random(name, count) if self.smoke else load(name, self.data_root).part(part).sample(count)
        )

    def write(self, found: dict[str, Any]) -> None:
        """Writes what was measured, and how; prints it."""
        text = json.dumps({**found, **made(smoke=self.smoke)}, indent=1) + "\n"
        print(text)
        if self.out:
            self.out.parent.mkdir(parents=True, exist_ok=True)
            self.out.write_text(text)
            print(f"written to {self.out}")

    def _random(self, name: str, count: int) -> Split:
        source = sources()[name]
        generator = torch.Generator().manual_seed(0)
        pixels = torch.randint(256, (count, *(source.shape or ())), generator=generator, dtype=torch.uint8)
        labels = torch.randint(source.classes, (count,), generator=generator)
        return Split(f"random/{name}", pixels, labels, tuple(map(str, range(source.classes))))


def start(
    description: str | None, out: str, more: Callable[[ArgumentParser], object] = lambda parser: None
) -> Bench:
    """Reads the command line, and asks for huge pages as the command line of the library does.

    Args:
        description: Of the benchmark.
        out: Where its JSON goes by itself, with options by name in braces; that of a smoke run goes nowhere.
        more: Adds options.
    """
    parser = ArgumentParser(description=description)
    parser.add_argument("--data-root", type=Path, help="folder of data sets; else from the Hub")
    parser.add_argument("--out", type=Path, help=f"JSON file; by itself {out}")
    parser.add_argument("--smoke", action="store_true", help="seconds, on random images, to see that it runs")
    more(parser)
    options = parser.parse_args()
    ask_for_huge_pages()
    place = options.out or (None if options.smoke else Path(out.format(**vars(options))))
    return Bench(out=place, smoke=options.smoke, data_root=options.data_root, options=options)
