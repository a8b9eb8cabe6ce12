"""The patch-wise purifier: beside its network alone, by image size, for its gradient, and on files.

Patches of 16 at stride 16, untrained: weights do not matter for the time. Run by `make bench`. The aims: an
image of 299x299 takes at most 1.5 times the network on the same patches in one batch; at 1024x1024 a pixel
takes at most 1.2 times as long, and the memory beside the image is at most 1.1 times as much; a folder keeps
0.9 of the images a second of the purifier on images in memory.
"""

import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import torch
from benchmarks.command import start
from benchmarks.timing import median_seconds, seconds
from torch import Tensor

from purifold.autoencoders.patch_spec import PatchSpec
from purifold.data.pictures import Picture, write_picture
from purifold.defenses.chain import Chain
from purifold.defenses.patchwise import Patchwise
from purifold.defenses.reconstruction import Reconstruction
from purifold.defenses.smoothing import Smoothing
from purifold.engine.purify import Deployed, folder_jobs, purify_files
from purifold.randomness import seeded

SMALL, LARGE, PATCH = 299, 1024, 16
FILES = 24
AIMS = {"over the network": 1.5, "a pixel": 1.2, "memory": 1.1, "of images in memory": 0.9}


def main() -> None:
    """Measures all, writes it and prints it beside the aims."""
    bench = start(__doc__, "results/patch-vae/bench-patches.json")
    with seeded(0):
        autoencoder = PatchSpec(patch=PATCH).build((3, PATCH, PATCH)).eval().requires_grad_(False)
    patches = Patchwise(Reconstruction(autoencoder), patch=PATCH, stride=PATCH).eval()
    whole = Chain([patches, Smoothing()]).eval()
    photos, sides = (
        bench.split("nips-2017", "test", bench.size(FILES, 1)),
        bench.size((SMALL, LARGE), (33, 65)),
    )
    found = {
        "network": _beside_network(patches, photos.images(slice(1)), bench.size(15, 1)),
        "forward": _by_size(whole, sides, gradient=False),
        "gradient": _by_size(whole, sides, gradient=True),
        "files": {suffix: _on_files(whole, photos.pixels, suffix) for suffix in (".png", ".jpg")},
        "aims": AIMS,
        "threads": torch.get_num_threads(),
    }
    bench.write(found)


@torch.no_grad()
def _beside_network(purifier: Patchwise, image: Tensor, repeats: int) -> dict[str, float]:
    """Seconds of an image, and of the network on its patches at once."""
    cut = torch.cat([portion.cut(image) for portion in purifier.tiling.portions(image)])
    whole = median_seconds(lambda: purifier(image), repeats)
    bare = median_seconds(lambda: purifier.purifier(cut), repeats)
    return {"patches": len(cut), "purifier": whole, "network": bare, "over the network": whole / bare}


def _by_size(purifier: Chain, sides: tuple[int, int], *, gradient: bool) -> dict[str, Any]:
    """Seconds and peak bytes of a small and a large image, those of images of its size left out."""
    measured = {side: _at(purifier, side, gradient) for side in sides}
    (smaller, small), (larger, large) = measured.items()
    return {
        **{str(side): values for side, values in measured.items()},
        "a pixel": (large["seconds"] / larger**2) / (small["seconds"] / smaller**2),
        "memory": large["bytes beside the image"] / small["bytes beside the image"],
    }


def _at(purifier: Chain, side: int, gradient: bool) -> dict[str, float]:
    image = torch.rand(1, 3, side, side, requires_grad=gradient)

    def call() -> None:
        with torch.set_grad_enabled(gradient):
            purified = purifier(image)
            if gradient:
                torch.autograd.grad(purified.sum(), image)

    taken = median_seconds(call, repeats=5)
    Path("/proc/self/clear_refs").write_text("5")  # forgets the peak so far; Linux only
    call()
    peak = next(
        line for line in Path("/proc/self/status").read_text().splitlines() if line.startswith("VmHWM")
    )
    own = image.numel() * image.element_size() * (4 if gradient else 2)  # with what is made of it
    return {"seconds": taken, "bytes beside the image": 1024 * int(peak.split()[1]) - own}


def _on_files(purifier: Chain, pixels: Tensor, suffix: str) -> dict[str, float]:
    """Images a second from file to file, and from memory to memory."""
    deployed = Deployed(purifier=purifier, channels=3, seed=0, device="cpu")
    with tempfile.TemporaryDirectory() as folder:
        source = Path(folder) / "in"
        for number, image in enumerate(pixels):
            write_picture(Picture(pixels=image), source / f"{number}{suffix}")
        runs: dict[str, list[float]] = {"memory": [], "files": []}
        for turn in range(3):
            jobs = folder_jobs(source, Path(folder) / f"out-{turn}", "bench")
            calls: dict[str, Callable[[], object]] = {
                "memory": lambda: [deployed.purify(image) for image in pixels],
                "files": lambda jobs=jobs: list(purify_files(deployed, jobs)),  # type: ignore[misc]
            }
            for name, call in calls.items():
                runs[name].append(seconds(call))
    rates = {name: len(pixels) / sorted(taken)[1] for name, taken in runs.items()}
    return {**rates, "of images in memory": rates["files"] / rates["memory"]}


if __name__ == "__main__":
    main()
