"""Step: the hash is that of a text one can write down, and only what cannot change may be described."""

import hashlib
import json
import math
from dataclasses import dataclass
from pathlib import Path
from typing import ClassVar

import pytest

from purifold.engine.step import Resources, Step, Workbench, canonical, likeness
from purifold.errors import InputError


@dataclass(frozen=True, kw_only=True)
class Train(Step):
    kind = "train"
    rate: float = 0.1
    name: str = "cnn"
    other: object = None

    def run(self, bench: Workbench) -> None:
        raise NotImplementedError


@dataclass(frozen=True, kw_only=True)
class Judge(Step):
    kind = "judge"
    models: tuple[Step, ...]
    setting: object = None

    def run(self, bench: Workbench) -> None:
        raise NotImplementedError


@dataclass(frozen=True)
class Budget:
    epsilon: float
    model: Step | None = None


@dataclass(frozen=True)
class Limit:
    epsilon: float
    model: Step | None = None


def digest(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()[:16]


def test_the_key_is_the_sha256_of_the_description_in_canonical_json() -> None:
    assert Train().key == digest(
        '{"fields":{"name":"cnn","other":null,"rate":0.1},"kind":"train","version":1}'
    )
    assert Train().key == "482c9b257bc05377"  # of that text, by sha256sum


def test_steps_are_alike_whatever_their_fractions_seeds_options_and_inputs_weights() -> None:
    first, second = (
        Judge(models=(Train(name=name),), setting=(Budget(epsilon), "vae:beta=" + name, 7))
        for name, epsilon in (("cnn", 0.1), ("mlp", 0.2))
    )
    assert first.likeness == second.likeness
    assert first.likeness == digest(
        '{"fields":{"models":[{"step":"train"}],"setting":[{"class":"'
        + Budget.__module__
        + '.Budget","epsilon":null,"model":null},"vae",7]},"kind":"judge","version":1}'
    )
    assert likeness({"seed": 1, "steps": 2}) == likeness({"seed": 3, "steps": 2}) == digest('{"steps":2}')
    assert Train(other=3).likeness != Train(other=4).likeness
    assert Train(name="cnn").likeness != Train(name="mlp").likeness


def test_an_input_stands_in_the_hash_by_its_key() -> None:
    model = Train()
    inside = f'{{"models":[{{"key":"{model.key}","step":"train"}}],"setting":null}}'
    text = f'{{"fields":{inside},"kind":"judge","version":1}}'
    assert Judge(models=(model,)).key == digest(text)


def test_the_order_in_which_fields_are_declared_does_not_count() -> None:
    @dataclass(frozen=True, kw_only=True)
    class Turned(Step):
        kind = "train"
        other: object = None
        name: str = "cnn"
        rate: float = 0.1

        def run(self, bench: Workbench) -> None:
            raise NotImplementedError

    assert Turned().key == Train().key


def test_a_change_anywhere_below_changes_the_key() -> None:
    keys = {
        Judge(models=models, setting=setting).key
        for models in [(Train(),), (Train(rate=0.2),), (Train(), Train(rate=0.2)), (Train(rate=0.2), Train())]
        for setting in [
            None,
            Budget(0.1),
            Budget(0.2),
            Limit(0.1),
            Budget(0.1, Train()),
            Budget(0.1, Train(rate=2)),
        ]
    }
    assert len(keys) == 24


def test_a_new_version_changes_the_key() -> None:
    class Newer(Train):
        version: ClassVar[int] = 2

    assert Newer().key != Train().key


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (0.1, "0.1"),
        (0.1 + 0.2, "0.30000000000000004"),
        (1e-5, "1e-05"),
        (8 / 255, "0.03137254901960784"),
        (1, "1"),
        (1.0, "1"),
        (-0.0, "0"),
        (True, "true"),
        (2**53 + 1, "9007199254740993"),
        (1e300, "1e+300"),
        (math.inf, '{"float":"inf"}'),
        (math.nan, '{"float":"nan"}'),
        ("ä", '"\\u00e4"'),
        ((1, (0.5, None)), "[1,[0.5,null]]"),
    ],
)
def test_values_are_written_in_one_way(value: object, text: str) -> None:
    assert canonical(Train(other=value).describe()["fields"]["other"]) == text


def test_the_description_survives_json_so_that_a_manifest_can_be_checked_against_its_key() -> None:
    step = Judge(models=(Train(),), setting=Budget(math.inf))
    described = json.loads(json.dumps(step.describe(), indent=2))
    assert described == step.describe()
    assert digest(canonical(described)) == step.key


def test_inputs_are_found_in_tuples_and_dataclasses_each_once() -> None:
    first, second = Train(), Train(rate=0.5)
    step = Judge(models=(second, first, Train()), setting=(Budget(0.1, second), Budget(0.1, Train(rate=3))))
    assert [part.rate for part in step.inputs()] == [0.5, 0.1, 3]
    assert first.inputs() == ()


@dataclass
class Changing:
    value: int = 1


@pytest.mark.parametrize("value", [[1], {"a": 1}, {1}, Path("a"), Changing(), Budget, b"a", (1, [2])])
def test_what_can_change_or_has_no_text_is_refused_by_name(value: object) -> None:
    with pytest.raises(InputError, match=r"other.* must be None, a bool.*got"):
        _ = Train(other=value).key


@pytest.mark.parametrize("kind", ["", "Train", "train classifier", "../up", "damaged", ".work", None, "a-"])
def test_a_kind_that_cannot_name_a_folder_is_refused(kind: object) -> None:
    broken = type("Broken", (Train,), {"kind": kind})
    with pytest.raises(InputError, match="kind must be lower-case words"):
        _ = broken().key


def test_a_step_that_is_no_frozen_dataclass_is_refused() -> None:
    class Loose(Step):
        kind = "loose"

        def run(self, bench: Workbench) -> None:
            raise NotImplementedError

    with pytest.raises(InputError, match="Loose must be a dataclass"):
        _ = Loose().key


def test_a_workbench_hands_out_inputs_only(tmp_path: Path) -> None:
    told = []
    bench = Workbench(
        folder=tmp_path,
        scratch_at=tmp_path / "deep" / "scratch",
        resources=Resources(),
        fetched={Train().key: tmp_path / "a"},
        report=lambda fraction, note: told.append((fraction, note)),
    )
    assert not (tmp_path / "deep").exists()
    assert list(bench.scratch.iterdir()) == []
    assert bench.artefact(Train()) == tmp_path / "a"
    with pytest.raises(InputError, match="no input of this step"):
        bench.artefact(Train(rate=9))
    bench.progress(0.5, "epoch 1")
    assert told == [(0.5, "epoch 1")]
