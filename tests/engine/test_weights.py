"""Weights in a folder: what was trained, ready to purify, and refused where they do not fit."""

import json
from dataclasses import replace

import pytest
import torch

from purifold.defenses.patchwise import Patchwise
from purifold.defenses.reconstruction import Reconstruction
from purifold.defenses.smoothing import Smoothing
from purifold.engine.progress import silent
from purifold.engine.scale import SCALES
from purifold.engine.step import Resources
from purifold.engine.steps.data import Data
from purifold.engine.store import Store
from purifold.engine.weights import DESCRIPTION, load_purifier, train_purifier
from purifold.errors import Failure, InputError

TINY = {**vars(SCALES["smoke"]), "encoded": 1_100, "epochs": 1}
DEFENSE = "patch-vae:patch=4,stride=4,latent=3"


@pytest.fixture(scope="module")
def store(tmp_path_factory):
    return Store(tmp_path_factory.mktemp("store"))


def trained(store, folder, defense=DEFENSE):
    scale = type(SCALES["smoke"])(**TINY)
    train_purifier(
        defense,
        "digits",
        scale=scale,
        resources=Resources(),
        store=store,
        folder=folder,
        seed=0,
        listener=silent,
    )
    return folder


def test_a_folder_holds_the_purifier_that_was_trained(store, tmp_path):
    purifier, shape, name = load_purifier(trained(store, tmp_path / "weights"), "latent_scale=0,stride=2")
    (path,) = (tmp_path / "weights").glob("*.safetensors")
    assert (store.address, shape, name) == (
        store.address,
        (1, 8, 8),
        "patch-vae:latent=3,latent_scale=0.0,patch=4,stride=2",
    )
    patches, smoothing = purifier.purifiers
    rebuilt = Patchwise(Reconstruction(patches.purifier.autoencoder), patch=4, stride=2)
    images = torch.rand(1, 1, 30, 21)
    assert torch.equal(purifier(images), Smoothing()(rebuilt(images)))
    assert not purifier.training
    assert not any(weight.requires_grad for weight in purifier.parameters())
    assert isinstance(smoothing, Smoothing)
    assert path.stat().st_size > 1_000


def test_training_again_finds_the_weights_in_the_store(store, tmp_path):
    first, second = trained(store, tmp_path / "one"), trained(store, tmp_path / "two")
    (one,), (two,) = first.glob("*.safetensors"), second.glob("*.safetensors")
    assert one.read_bytes() == two.read_bytes()
    assert sum(event["event"] == "finished" for event in store.events()) == 1


def test_what_needs_other_weights_is_refused(store, tmp_path):
    folder = trained(store, tmp_path / "weights")
    for options, says in {
        "patch=8": "asks for weights that",
        "beta=3": "asks for weights that",
        "strde=2": "did you mean 'stride'",
        "stride": "options must be name=value",
        "stride=9": r"stride must lie in \[1, 4\]",
    }.items():
        with pytest.raises(InputError, match=says):
            load_purifier(folder, options)


def test_a_folder_without_weights_or_with_damaged_ones_says_so(store, tmp_path):
    with pytest.raises(InputError, match="purifold train --data DATA --out"):
        load_purifier(tmp_path)
    folder = trained(store, tmp_path / "weights")
    described = json.loads((folder / DESCRIPTION).read_text())
    (folder / DESCRIPTION).write_text(json.dumps({**described, "latent": None, "more": 1}))
    with pytest.raises(Failure, match="damaged"):
        load_purifier(folder)
    (folder / DESCRIPTION).write_text(json.dumps(described))
    weights = next(folder.glob("*.safetensors"))
    weights.write_bytes(b"nothing")
    with pytest.raises(Failure, match="damaged"):
        load_purifier(folder)
    weights.unlink()
    with pytest.raises(Failure, match=rf"lacks {weights.name}; make it again with `purifold train`"):
        load_purifier(folder)


@pytest.mark.parametrize(
    ("defense", "says"),
    [
        ("puvae", "cannot be kept as a purifier alone"),
        ("none", "has no purifier"),
        ("patch-vea", "did you mean"),
        ("patch-vae:patch=16,stride=4", "patches of 16 pixels do not fit in the 8x8 images of digits"),
    ],
)
def test_a_defense_that_purifies_nothing_is_refused_before_anything_is_trained(
    store, tmp_path, defense, says
):
    with pytest.raises(InputError, match=says):
        trained(store, tmp_path / "weights", defense)
    assert not (tmp_path / "weights").exists()


def test_what_a_killed_run_left_is_no_hindrance(store, tmp_path):
    folder = trained(store, tmp_path / "weights")
    (folder / DESCRIPTION).unlink()
    trained(store, folder)
    assert (folder / DESCRIPTION).exists()


def test_a_folder_of_other_things_is_refused_before_anything_is_trained(tmp_path):
    (tmp_path / "notes.txt").touch()
    fresh = Store(tmp_path / "store")
    with pytest.raises(InputError, match=r"holds other files and no purifier\.json"):
        trained(fresh, tmp_path)
    with pytest.raises(InputError, match=r"cannot write to .*notes\.txt"):
        trained(fresh, tmp_path / "notes.txt" / "weights")
    assert not list(fresh.events())


def test_a_folder_of_another_purifier_is_refused_and_stays(store, tmp_path):
    folder = trained(store, tmp_path / "weights")
    before = {path.name: path.read_bytes() for path in folder.iterdir()}
    with pytest.raises(InputError, match="holds another purifier; choose another folder"):
        trained(store, folder, DEFENSE + ",clip=2")
    assert {path.name: path.read_bytes() for path in folder.iterdir()} == before


def test_data_without_training_images_are_refused(store, tmp_path, monkeypatch):
    named = Data.named("digits", Resources())
    monkeypatch.setattr(Data, "named", lambda *given: replace(named, hashes=("", *named.hashes[1:])))
    with pytest.raises(InputError, match="digits has no training images"):
        trained(store, tmp_path / "weights")


def test_a_description_that_may_not_be_read_says_so(tmp_path):
    (tmp_path / DESCRIPTION).mkdir()
    with pytest.raises(InputError, match="cannot read"):
        load_purifier(tmp_path)


def test_a_defense_without_weights_needs_none(store, tmp_path):
    purifier, _, _ = load_purifier(trained(store, tmp_path / "weights", "smoothing"), "shape=gaussian")
    assert repr(purifier) == "Smoothing(shape='gaussian', size=5)"
