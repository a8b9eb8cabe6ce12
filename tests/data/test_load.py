import subprocess
import sys

import pytest

from purifold.data.load import load, sources
from purifold.errors import InputError

NAMES = ["btsc", "celeba", "cifar-10", "coil-100", "digits", "fashion-mnist", "mnist", "nips-2017", "svhn"]


def test_discovery_finds_every_data_set_in_alphabetical_order():
    assert list(sources()) == NAMES


@pytest.mark.parametrize(
    ("wrong", "right"), [("mnits", "mnist"), ("cifar10", "cifar-10"), ("coil", "coil-100")]
)
def test_unknown_name_gives_the_nearest(wrong, right, tmp_path):
    for root in (None, tmp_path):
        with pytest.raises(InputError, match=f"unknown data set '{wrong}'; did you mean '{right}'"):
            load(wrong, root)


def test_empty_name_is_not_the_current_folder(tmp_path):
    with pytest.raises(InputError, match="unknown data set ''"):
        load("", tmp_path)


def test_importing_it_imports_no_heavy_library():
    heavy = ("datasets", "PIL", "sklearn", "pyarrow", "pandas", "scipy")
    code = (
        f"import sys, purifold.data.load as l; l.sources(); print([m for m in {heavy} if m in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"
