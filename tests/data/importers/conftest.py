"""Archives as their owners hand them out, with a few images each; what was written is given back."""

import csv
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

RANDOM = np.random.RandomState(11)


def image(height, width):
    return RANDOM.randint(0, 256, (height, width, 3)).astype(np.uint8)


def save(path, pixels):
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.fromarray(pixels).save(path)
    return pixels


def coil(archive: Path) -> dict[tuple[int, int], np.ndarray]:
    views = {(number, angle): image(8, 8) for number in (1, 2, 100) for angle in range(0, 360, 5)}
    for (number, angle), pixels in views.items():
        save(archive / f"obj{number}__{angle}.png", pixels)
    return views


def nips(archive: Path) -> list[tuple[np.ndarray, str, int, int]]:
    rows = [
        (image(299, 299), f"{code:016x}", label, target)
        for code, label, target in ((9, 306, 779), (3, 1, 1000))
    ]
    for pixels, code, _, _ in rows:
        save(archive / "images" / f"{code}.png", pixels)
    with (archive / "images.csv").open("w", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(["ImageId", "URL", "TrueLabel", "TargetClass", "Author"])
        writer.writerows([code, "http://x", label, target, "Doe, J."] for _, code, label, target in rows)
    return rows


BOXES = {
    "00000": [("01153_00000.ppm", 4, 3, 44, 51), ("01153_00001.ppm", 0, 0, 48, 56)],
    "00061": [("17_00002.ppm", 8, 8, 40, 40)],
}


def btsc(archive: Path, nested=False) -> dict[str, np.ndarray]:
    written = {}
    for part in ("Training", "Testing"):
        folder = archive / f"BelgiumTSC_{part}" / part if nested else archive / f"BelgiumTSC_{part}"
        for kind, boxes in BOXES.items():
            lines = ["Filename;Width;Height;Roi.X1;Roi.Y1;Roi.X2;Roi.Y2;ClassId"]
            for name, *box in boxes:
                written[part, kind, name] = save(folder / kind / name, image(56, 48))
                lines.append(";".join(map(str, (name, 48, 56, *box, int(kind)))))
            (folder / kind / f"GT-{kind}.csv").write_text("\r\n".join(lines) + "\r\n")
        (folder / "00007").mkdir()
        (folder / "00007" / "GT-00007.csv").write_text(lines[0] + "\n")
    return written


def read(path):
    import datasets

    rows = datasets.Dataset.from_parquet(str(path), cache_dir=str(path.parent.parent / "cache"))
    return rows, [np.asarray(picture) for picture in rows["image"]]


@pytest.fixture(name="image")
def _image():
    return image


@pytest.fixture(name="save")
def _save():
    return save


@pytest.fixture(name="coil")
def _coil():
    return coil


@pytest.fixture(name="nips")
def _nips():
    return nips


@pytest.fixture(name="btsc")
def _btsc():
    return btsc


@pytest.fixture(name="read")
def _read():
    return read


@pytest.fixture
def archives():
    """What writes an archive, by the name of its importer."""
    return {"btsc": btsc, "coil-100": coil, "nips-2017": nips}
