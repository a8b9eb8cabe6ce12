"""Writes `docs/performance.md` from what the benchmarks left in `results/`: no number in it is typed.

`python -m benchmarks.page`; last in `make bench`. What was not measured says so.
"""

import argparse
import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, TypeAlias

from benchmarks.page_rows import NOT_MEASURED, ROWS, Line

Found: TypeAlias = dict[str, Any]

HEAD = """# Speed

Written by `python -m benchmarks.page` from the JSON files that `make bench` leaves in `results/`. **Bold**
marks what does not reach what was asked. Peers get the same images, weights and settings; the head of each
benchmark says what else is alike and what is not. Where all ran in turns, a ratio is the median of the turns'
ratios, not the ratio of the medians. A machine is its cores, its processor, its GPUs, and its rate of a
float32 matrix product, measured when the benchmark was over.

| work | beside | asked | measured | machine | command |
|---|---|---|---|---|---|
"""

ATTACKS = """
## Attacks, one by one

A pass is a forward and a backward pass of all images. Success and distance are judged by one rule for all
libraries. Seconds with a star are scaled from fewer images, of which success and distance are, too; such
distances are not comparable with those of all images. Carlini-Wagner and DeepFool look for the nearest
adversarial image: above, a peer whose median L2 is more than 1.05 times ours counts as not having found it,
however soon it stopped.
"""

KERNELS = """
## Kernels

Matrix products and convolutions that a work needs, over its seconds, beside the rate of a large matrix
product in the same precision.

"""

DONE = """
### What was done about it

- **Memory before arithmetic.** Where small pages are taken and returned for every block, filling memory shows
  among the kernels. The command line asks for huge pages (`engine/memory.py`).
- **Less to compute.** A max-pool stands before its ReLU; Adam is fused; draws of an image share the encoder
  (`Purifier.settled`), and an attacked batch is so small that no forward pass of averaged draws comes twice.
- **No image twice.** An image leaves an attack's batch when it has what it asked for.
- **bfloat16** where the processor has it: training (`precision`) and PuVAE's search.
- **Calls before codecs.** JPEG codes a batch of small images as one tall image.

What is left in the profile are convolutions of few channels, which move more memory than they compute.
"""


def main() -> None:
    """Reads all results and writes the page."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--results", type=Path, default=Path("results"))
    parser.add_argument("--out", type=Path, default=Path("docs/performance.md"))
    options = parser.parse_args()
    options.out.write_text(page(options.results))
    print(f"written to {options.out}")


def page(results: Path) -> str:
    """The page of what lies in `results`."""
    read = _reader(results)
    lines = "\n".join(_line(line) for rows in ROWS for line in rows.lines(read(rows.path)))
    attacks = {data: read(f"performance/attacks-{data}.json") for data in ("mnist", "cifar-10")}
    tables = "".join(_attacks(data, found) for data, found in attacks.items() if found)
    kernels = read("performance/kernels.json")
    parts = [HEAD + lines + "\n", ATTACKS + tables if tables else "", "".join(_kernels(kernels))]
    return "".join(parts)


def _reader(results: Path) -> Callable[[str], Found | None]:
    def read(path: str) -> Found | None:
        place = results / path
        return json.loads(place.read_text()) if place.exists() else None

    return read


def _line(line: Line) -> str:
    measured = line.measured if line.reached in (True, None) else f"**{line.measured}**"
    command = f"`python -m benchmarks.{line.command}`"
    return f"| {line.work} | {line.beside} | {line.asked} | {measured} | {line.machine} | {command} |"


def _attacks(data: str, found: Found) -> str:
    head = (
        f"\n### {data}, {found['images']} images\n\n| attack | library | s | passes | success | median L2 |\n"
    )
    rows = [
        f"| {row['work']} | {row['library']} | {row['seconds_of_all_images']:.2f}"
        f"{'*' if row['images'] < found['images'] else ''} | {row['passes']:.1f} "
        f"| {100 * row['success']:.1f} % | {row['median_l2']:.3f} |"
        for row in sorted(found["rows"], key=lambda row: row["work"])
    ]
    return head + "|---|---|---|---|---|---|\n" + "\n".join(rows) + "\n"


def _kernels(found: Found | None) -> Iterator[str]:
    yield KERNELS
    if found is None:
        yield f"{NOT_MEASURED}: `python -m benchmarks.kernels`\n"
        return
    peaks = ", ".join(f"{rate:.0f} in {name}" for name, rate in found["peak_gflops"].items())
    yield f"The matrix product reached, in GFLOP/s, when the works began: {peaks}.\n\n"
    yield "| work | data | precision | GFLOP/s | of the product |\n|---|---|---|---|---|\n"
    for row in found["rows"]:
        yield f"| {_named(row)} | {row['gflops']:.1f} | {100 * row['share']:.0f} % |\n"
    slowest = min(found["rows"], key=lambda row: row["share"])
    name = f"{slowest['work']}, {slowest['data']}, {slowest['precision']}"
    yield f"\n### Where the time of the lowest goes: {name}\n"
    yield "\n| kernel | of all kernels' own time | calls |\n|---|---|---|\n"
    for kernel in slowest["profile"]:
        yield f"| `{kernel['kernel']}` | {100 * kernel['share']:.0f} % | {kernel['calls']} |\n"
    yield DONE


def _named(row: Found) -> str:
    return f"{row['work']} | {row['data']} | {row['precision']}"


if __name__ == "__main__":
    main()
