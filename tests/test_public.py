"""The public face: every name resolves, and importing the package is light."""

import subprocess
import sys

import pytest

import purifold


@pytest.mark.parametrize("name", purifold.__all__)
def test_every_public_name_resolves_to_something_of_that_name(name):
    assert getattr(purifold, name).__name__ == name


def test_an_unknown_name_is_an_attribute_error():
    with pytest.raises(AttributeError, match="has no attribute 'Purifer'"):
        _ = purifold.Purifer


def test_importing_the_package_imports_no_torch():
    code = "import purifold, sys; print('torch' in sys.modules)"
    assert (
        subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout
        == "False\n"
    )
