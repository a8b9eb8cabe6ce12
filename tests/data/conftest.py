import io
import shutil
from pathlib import Path

import datasets
import numpy as np
import pytest
from PIL import Image

STORED = {"celeba": {"shape": (3, 218, 178), "label": datasets.Value("bool")}}
"""Data sets whose files differ from what is loaded."""


@pytest.fixture(autouse=True)
def quiet():
    datasets.disable_progress_bars()


@pytest.fixture(scope="session")
def encode():
    """Bytes of an image file out of (channel, height, width) pixels."""

    def encoded(pixels, kind="PNG", **options):
        array = pixels[0] if len(pixels) == 1 else pixels.transpose(1, 2, 0)
        buffer = io.BytesIO()
        Image.fromarray(np.ascontiguousarray(array)).save(buffer, format=kind, **options)
        return buffer.getvalue()

    return encoded


@pytest.fixture(scope="session")
def write(encode):
    """Writes one Parquet file of image files, labels and further columns; returns its path."""

    def written(path: Path, contents, labels, *, image="image", label="label", kind=None, **others):
        kind = kind or datasets.ClassLabel(names=[str(name) for name in range(10)])
        features = {image: datasets.Image(), label: kind} | {name: datasets.Value("int64") for name in others}
        cells = [{"bytes": content, "path": None} for content in contents]
        rows = {image: cells, label: list(labels)} | {name: list(column) for name, column in others.items()}
        path.parent.mkdir(parents=True, exist_ok=True)
        datasets.Dataset.from_dict(rows, features=datasets.Features(features)).to_parquet(path)
        return path

    return written


@pytest.fixture(scope="session")
def make(encode, write, tmp_path_factory):
    """A small folder in the format of a `Table` source; returns pixels, labels and groups by stored part."""
    masters = tmp_path_factory.mktemp("masters")
    known = {}

    def made(source, root: Path):
        if source.name not in known:
            known[source.name] = create(source, masters / source.name)
        shutil.copytree(masters / source.name, root / source.name)
        return known[source.name]

    def create(source, folder):
        stored = STORED.get(source.name, {})
        shape = stored.get("shape", source.shape or (3, 16, 16))
        kind = stored.get("label", datasets.ClassLabel(names=[f"class {n}" for n in range(source.classes)]))
        cell = bool if isinstance(kind, datasets.Value) else int
        random = np.random.RandomState(7)
        parts = {}
        for part, count in ((source.train, 40), (source.validation, 8), ("test", 6)):
            if part is None:
                continue
            pixels = random.randint(0, 256, (count, *shape)).astype(np.uint8)
            labels = np.arange(count) % min(source.classes, 4)
            groups = {} if source.group is None else {source.group: (np.arange(count) // 8).tolist()}
            contents = [encode(image, compress_level=1) for image in pixels]
            columns = {"image": source.image, "label": source.label, "kind": kind} | groups
            write(folder / f"{part}-00000-of-00001.parquet", contents, map(cell, labels), **columns)
            parts[part] = (pixels, labels, groups)
        return parts

    return made
