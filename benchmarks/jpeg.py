"""JPEG purification beside ART's JpegCompression: the same images, the same quality, tensors to tensors.

Both code with Pillow's libjpeg. ART takes and gives NumPy arrays, which share memory with tensors, and cuts
pixels off to bytes where ours are rounded: its input is whole bytes here, of which both make the same images.
Run by `make bench`.
"""

from typing import Any

import torch
from benchmarks.command import start
from benchmarks.timing import median_seconds
from torch import Tensor

from purifold.defenses.jpeg import JPEG

QUALITY = 23
IMAGES = {"mnist": 1_000, "cifar-10": 1_000, "nips-2017": 16}
ASKED = 2.0


def main() -> None:
    """Times both on each data set and writes the rates."""
    bench = start(__doc__, "results/performance/jpeg.json")
    rows = []
    for data, count in IMAGES.items():
        images = bench.split(data, "test", bench.size(count, 2)).images()
        rows.append({"data": data, **_row(images, bench.size(7, 1))})
    bench.write({"quality": QUALITY, "rows": rows, "asked": ASKED})


@torch.no_grad()
def _row(images: Tensor, repeats: int) -> dict[str, Any]:
    ours = JPEG(quality=QUALITY).eval()
    found = {"images": len(images), "purifold": len(images) / median_seconds(lambda: ours(images), repeats)}
    try:
        from art.defences.preprocessor import JpegCompression
    except ImportError as error:
        print(f"left out: {error}; `make bench` installs it")
        return found
    theirs = JpegCompression(clip_values=(0.0, 1.0), quality=QUALITY, channels_first=True)
    # A little more than the byte: x / 255 * 255 may come out just below x, which ART would cut to x - 1.
    given = (images + 1e-5).clamp(max=1).numpy()
    found["art"] = len(images) / median_seconds(lambda: theirs(given), repeats)
    found["ratio"] = found["purifold"] / found["art"]
    apart = (torch.from_numpy(theirs(given)[0]) - ours(images)).abs()
    found["mean_levels_apart"] = 255 * apart.mean().item()
    return found


if __name__ == "__main__":
    main()
