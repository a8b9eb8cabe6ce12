"""Published classifiers: found by name, their file where the data sets are, refused in one line."""

import pytest
from torch import nn

from purifold.errors import InputError
from purifold.networks.inception_v3 import inception_v3
from purifold.networks.mobilenet_v2 import mobilenet_v2
from purifold.networks.published import FOLDER, Published, published


def made(file):
    return Published(name="n", build=lambda shape, classes: nn.Flatten(), read=lambda *_: {}, file=file)


def test_a_classifier_is_found_by_name_and_a_wrong_one_gets_the_nearest():
    assert published("mobilenet-v2") is mobilenet_v2
    assert published("inception-v3") is inception_v3
    with pytest.raises(
        InputError, match=r"unknown classifier with published weights.*did you mean 'inception-v3'"
    ):
        published("inception-v4")


def test_the_file_lies_in_a_folder_of_its_own_under_the_data_sets(tmp_path):
    (tmp_path / FOLDER).mkdir()
    (tmp_path / FOLDER / "weights.npz").touch()
    assert made("weights.npz").path(str(tmp_path)) == tmp_path / FOLDER / "weights.npz"


def test_where_a_package_has_the_weights_there_is_no_file_and_no_folder_is_needed():
    assert made(None).path(None) is None


def test_where_the_file_must_lie_is_said_when_it_does_not(tmp_path):
    with pytest.raises(
        InputError, match=rf"weights of n are read from DIR/{FOLDER}/w\.npz; pass --data-root DIR"
    ):
        made("w.npz").path(None)
    (tmp_path / FOLDER / "w.npz").mkdir(parents=True)  # a folder is no file
    with pytest.raises(
        InputError, match=rf"there is no .*w\.npz; put the published weights of n in DIR/{FOLDER}"
    ):
        made("w.npz").path(str(tmp_path))
