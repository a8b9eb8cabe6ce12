import json
import math

import numpy as np
import pytest
import torch

from purifold.errors import Failure, InputError
from purifold.evaluation import record as record_module
from purifold.evaluation.check import Check
from purifold.evaluation.record import Record, identity, read, write
from purifold.threat import ThreatModel


@pytest.fixture
def record(outcome):
    def make(**changed):
        checks = (
            Check("budget kept", True, "all", "all", "why"),
            Check("batch", None, "none", "some", "why"),
        )
        outcomes = (
            outcome([0, 1], [[0, 0], [1, -1]], {"pgd": [[1, 1], [1, 0]]}, threat=ThreatModel("l2", math.inf)),
            outcome([0, 1], [[0, 0], [1, 1]], {"pgd": [[0, 0], [1, 0]]}, knowledge="oblivious"),
        )
        given = {
            "title": "VAE on flat images",
            "command": "purifold evaluate --data flat",
            "created": "2026-11-20T10:00:00+00:00",
            "seconds": 1 / 3,
            "data": {"name": "flat", "part": "test", "hash": "00ff", "count": 2},
            "classifier": {"how": {"network": "linear"}, "accuracy": 1.0},
            "defense": {"name": "vae", "latent": 8},
            "attacks": ("PGD(steps=40)",),
            "seed": 0,
            "draws": 2,
            "eot": 20,
            "checks": checks,
            "environment": {"cpu": "any", "gpus": []},
            "outcomes": outcomes,
        }
        return Record(**(given | changed))

    return make


def test_a_record_reads_back_as_it_was_written(record, tmp_path):
    made = record()
    back = read(write(made, tmp_path / "results", "vae"))
    for field in vars(made):
        if field != "outcomes":
            assert getattr(back, field) == getattr(made, field)
    for was, found in zip(made.outcomes, back.outcomes, strict=True):
        assert (found.threat, found.knowledge, found.images) == (was.threat, was.knowledge, was.images)
        assert torch.equal(found.clean, was.clean)
        assert torch.equal(found.attacked["pgd"].predictions, was.attacked["pgd"].predictions)
        assert torch.equal(found.attacked["pgd"].relative_l2, was.attacked["pgd"].relative_l2)


def test_outcomes_on_more_images_are_kept_apart(record, outcome, tmp_path):
    wide = outcome([0, 1, 1], [0, 1, 0], {"pgd": [0, 0, 0]}, knowledge="oblivious")
    made = record(wide=(wide,))
    back = read(write(made, tmp_path, "vae"))
    assert [len(found) for found in back.outcomes] == [2, 2]
    (found,) = back.wide
    assert torch.equal(found.labels, wide.labels)
    assert torch.equal(found.attacked["pgd"].predictions, wide.attacked["pgd"].predictions)


def test_a_record_that_was_written_before_there_were_more_images_is_read(record, tmp_path):
    path = write(record(), tmp_path, "vae")
    content = json.loads(path.read_text())
    del content["wide"], content["sha256"]
    path.write_text(json.dumps(content | {"sha256": record_module._digest_text(content)}))
    back = read(path)
    assert (len(back.outcomes), back.wide) == (2, ())


def test_the_json_is_strict_and_says_whether_it_is_unreliable(record, tmp_path):
    failed = Check("budget kept", False, "one left", "none", "why")

    def refuse(constant):
        raise AssertionError(constant)

    content = json.loads(write(record(checks=(failed,)), tmp_path, "x").read_text(), parse_constant=refuse)
    assert content["unreliable"] is True
    assert content["checks"][0]["name"] == "budget kept"


@pytest.mark.parametrize(
    ("checks", "expected"), [((True,), False), ((True, None), False), ((True, False), True), ((), True)]
)
def test_a_record_is_unreliable_when_a_check_failed_or_none_was_run(record, checks, expected):
    made = record(checks=tuple(Check("a", passed, "", "", "") for passed in checks))
    assert made.unreliable is expected


@pytest.mark.parametrize("share", [0.0, 0.1, 0.5, 0.99])
@pytest.mark.parametrize("kind", ["json", "npz"])
def test_a_truncated_record_is_a_failure_of_one_line(record, tmp_path, kind, share):
    path = write(record(), tmp_path, "vae")
    (file,) = tmp_path.glob(f"*.{kind}")
    content = file.read_bytes()
    file.write_bytes(content[: int(share * len(content))])
    with pytest.raises(Failure, match="is damaged") as caught:
        read(path)
    assert "\n" not in str(caught.value)
    assert (file.name in str(caught.value)) or kind == "json"


def test_every_flipped_bit_of_the_arrays_is_noticed_or_harmless(record, tmp_path):
    path = write(record(), tmp_path, "vae")
    (file,) = tmp_path.glob("*.npz")
    content, noticed = file.read_bytes(), 0
    for place in range(0, len(content), 37):
        file.write_bytes(content[:place] + bytes([content[place] ^ 16]) + content[place + 1 :])
        try:
            back = read(path)
        except Failure:
            noticed += 1
        else:
            assert torch.equal(back.outcomes[0].clean, record().outcomes[0].clean)
    assert noticed > 10


def test_an_edited_figure_is_noticed(record, tmp_path):
    path = write(record(), tmp_path, "vae")
    path.write_text(path.read_text().replace('"epsilon": "inf"', '"epsilon": "0.3"'))
    with pytest.raises(Failure, match="its text is not what was written"):
        read(path)


def test_arrays_of_another_record_are_noticed(record, outcome, tmp_path):
    path = write(record(), tmp_path, "vae")
    write(record(outcomes=(outcome([1], [1], {"pgd": [0]}),)), tmp_path, "other")
    (file,), (other,) = tmp_path.glob("vae-*.npz"), tmp_path.glob("other-*.npz")
    file.write_bytes(other.read_bytes())
    with pytest.raises(Failure, match=f"{file.name} does not hold the arrays that were written"):
        read(path)


def test_pickled_arrays_are_never_loaded(record, tmp_path):
    path = write(record(), tmp_path, "vae")
    (file,) = tmp_path.glob("*.npz")
    np.savez(file, labels=np.array([{"x": 1}], dtype=object))
    with pytest.raises(Failure, match="is damaged"):
        read(path)


def test_another_version_or_kind_is_named(record, tmp_path):
    path = write(record(), tmp_path, "vae")
    text = path.read_text()
    path.write_text(text.replace('"version": 2', '"version": 3'))
    with pytest.raises(Failure, match="version 3, this purifold reads 2"):
        read(path)
    path.write_text(text.replace("purifold record", "something else"))
    with pytest.raises(Failure, match="no record of purifold, its kind is 'something else'"):
        read(path)
    with pytest.raises(InputError, match="there is no record"):
        read(tmp_path / "missing.json")


@pytest.mark.parametrize("broken", [0, 1])
def test_a_full_disk_leaves_the_older_record_whole(record, tmp_path, monkeypatch, broken):
    path = write(record(seed=1), tmp_path, "vae")
    written, honest = [], record_module.write_bytes

    def full(target, content):
        if len(written) == broken:
            raise Failure("no space left")
        written.append(target)
        honest(target, content)

    monkeypatch.setattr(record_module, "write_bytes", full)
    with pytest.raises(Failure, match="no space"):
        write(record(seed=2, outcomes=record().outcomes[:1]), tmp_path, "vae")
    assert read(path).seed == 1


def test_a_newer_record_takes_the_older_ones_place_and_leaves_no_arrays_behind(record, tmp_path):
    write(record(), tmp_path, "vae")
    path = write(record(seed=2, outcomes=record().outcomes[:1]), tmp_path, "vae")
    assert read(path).seed == 2
    assert len(list(tmp_path.iterdir())) == 2
    assert read(write(record(seed=3, outcomes=record().outcomes[:1]), tmp_path, "vae")).seed == 3


def test_what_json_cannot_hold_and_a_nameless_defense_are_refused(record, tmp_path):
    with pytest.raises(InputError, match="must hold JSON values only"):
        write(record(classifier={"how": torch.zeros(1)}), tmp_path, "x")
    with pytest.raises(InputError, match='must hold its "name"'):
        record(defense={"latent": 8})
    assert list(tmp_path.iterdir()) == []


def test_identity_tells_a_split_by_its_hash(levels):
    split = levels(1, 2)
    assert identity(split) == {"name": "flat", "part": "test", "hash": split.hash, "count": 2}
