"""A folder of data sets as small as they get, in the format of the real ones."""

import io

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from PIL import Image

from purifold.engine.scale import SCALES
from purifold.engine.step import Resources
from purifold.papers.gm_vae import GM_VAE
from purifold.papers.puvae_cells import SUBJECTS, cells_of


@pytest.fixture
def mnist_like(tmp_path):
    folder = tmp_path / "mnist"
    folder.mkdir()
    for part, count in (("train", 40), ("test", 20)):
        _write(folder / f"{part}-00000-of-00001.parquet", count)
    return Resources(data_root=str(tmp_path))


@pytest.fixture(scope="package")
def cell():
    """The experiments of `puvae` at its smallest, with seed 3."""
    (subject,) = SUBJECTS["smoke"]
    return cells_of(subject, "A", SCALES["smoke"], Resources(), 3)


@pytest.fixture(scope="package")
def gm_vae_exhibits():
    """Tables and figures of `gm-vae` at its smallest, by name."""
    return {found.name: found for found in GM_VAE.study(SCALES["smoke"], Resources(), 0).exhibits}


def _write(path, count):
    from datasets import ClassLabel, Features
    from datasets import Image as ImageColumn

    features = Features(
        {"image": ImageColumn(), "label": ClassLabel(names=[str(digit) for digit in range(10)])}
    )
    pixels = np.random.default_rng(0).integers(0, 256, (count, 28, 28), dtype=np.uint8)
    rows = {
        "image": [{"bytes": _png(image), "path": None} for image in pixels],
        "label": [place % 10 for place in range(count)],
    }
    pq.write_table(pa.table(rows, schema=features.arrow_schema), path)


def _png(image):
    out = io.BytesIO()
    Image.fromarray(image).save(out, "PNG")
    return out.getvalue()
