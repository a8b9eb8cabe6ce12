import json

import pytest
import torch
from torch import nn

from purifold.errors import Failure, InputError
from purifold.training.checkpoint import load_into, load_weights, save_weights


def linear(features=3):
    return nn.Sequential(nn.Linear(4, features), nn.BatchNorm1d(features))


def test_weights_come_back_with_how_they_were_made(tmp_path, same):
    module, other = linear(), linear()
    path = save_weights(module, tmp_path, {"seed": 3, "config": {"epochs": 2}, "data": "abc"})
    assert not same(module, other)
    how = load_into(other, path)
    assert same(module, other)
    assert how == {
        "seed": 3,
        "config": {"epochs": 2},
        "data": "abc",
        "torch": torch.__version__,
        "purifold": how["purifold"],
    }


def test_the_json_beside_the_weights_says_what_the_weights_file_says(tmp_path):
    path = save_weights(linear(), tmp_path / "deep" / "vae.safetensors", {"seed": 3})
    assert path == tmp_path / "deep" / "vae.safetensors"
    assert json.loads((tmp_path / "deep" / "vae.json").read_text()) == load_weights(path)[1]


def test_a_folder_stands_for_the_weights_in_it(tmp_path, same):
    module, other = linear(), linear()
    assert save_weights(module, tmp_path, {}) == tmp_path / "weights.safetensors"
    load_into(other, tmp_path)
    assert same(module, other)


def test_the_json_of_other_weights_is_not_believed(tmp_path):
    save_weights(linear(), tmp_path, {"seed": 3})
    (tmp_path / "weights.json").write_text('{"seed": 4}')
    assert load_weights(tmp_path)[1]["seed"] == 3


def test_the_first_tensor_that_does_not_fit_is_named_and_the_module_kept(tmp_path):
    path = save_weights(linear(3), tmp_path, {})
    module = linear(5)
    before = module[0].weight.clone()
    with pytest.raises(InputError, match=r"'0.weight' is \(3, 4\) float32 in the file and \(5, 4\) float32"):
        load_into(module, path)
    assert torch.equal(module[0].weight, before)


def test_a_missing_or_a_spare_tensor_is_named(tmp_path):
    path = save_weights(linear()[:1], tmp_path, {})
    with pytest.raises(InputError, match=r"'1.weight' is absent in the file"):
        load_into(linear(), path)
    path = save_weights(linear(), tmp_path, {})
    with pytest.raises(InputError, match=r"'1[.].*' is .* in the file and absent in the module"):
        load_into(linear()[:1], path)


def test_other_precision_is_refused_and_not_cast(tmp_path):
    path = save_weights(linear().double(), tmp_path, {})
    with pytest.raises(InputError, match=r"'0.weight' is \(3, 4\) float64 in the file and \(3, 4\) float32"):
        load_into(linear(), path)


def test_damaged_weights_are_named_in_one_line(tmp_path):
    path = save_weights(linear(), tmp_path, {})
    path.write_bytes(path.read_bytes()[:-3])
    with pytest.raises(Failure, match=r"weights.safetensors is damaged.*make it again") as error:
        load_into(linear(), path)
    assert "\n" not in str(error.value)
