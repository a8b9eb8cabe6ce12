"""Store: damage is found, said, kept apart and repaired."""

import json
import logging
import threading
import time
from collections.abc import Callable
from pathlib import Path
from types import ModuleType

import pytest

from purifold.engine.make import make
from purifold.engine.manifest import MANIFEST
from purifold.engine.step import Resources, Step
from purifold.engine.store import Store, Unsound

Rewrite = Callable[[Step, str, Callable[[bytes], bytes | None]], None]
DIGEST = "deep/digest.bin"


def quiet(fraction: float, note: str) -> None:
    pass


def flip(content: bytes) -> bytes:
    return bytes([content[0] ^ 1]) + content[1:]


@pytest.mark.parametrize(
    ("name", "edit", "reason"),
    [
        (DIGEST, lambda content: content[:-1], "31 bytes instead of 32"),
        (DIGEST, lambda content: None, "deep/digest.bin is missing"),
        (MANIFEST, lambda content: content[:100], "artefact.json cannot be read"),
        (MANIFEST, lambda content: b"", "artefact.json cannot be read"),
        (MANIFEST, lambda content: b"[]", "artefact.json cannot be read"),
        (MANIFEST, lambda content: content.replace(b'"only"', b'"else"'), "describes another step"),
        (MANIFEST, lambda content: content.replace(b"deep/digest", b"../digest"), "outside the artefact"),
        (DIGEST, flip, "another SHA-256"),
    ],
)
def test_damage_is_found_said_and_kept_apart(
    *,
    name: str,
    edit: Callable[[bytes], bytes | None],
    reason: str,
    made: Step,
    elsewhere: Store,
    rewrite: Rewrite,
    resources: Resources,
    program: ModuleType,
    caplog: pytest.LogCaptureFixture,
) -> None:
    rewrite(made, name, edit)
    assert elsewhere.has(made) == (edit is flip)  # a flipped bit needs the hash
    with caplog.at_level(logging.WARNING), pytest.raises(Unsound):
        elsewhere.fetch(made)
    assert reason in caplog.text
    assert "only in" in caplog.text
    assert [event["reason"] for event in elsewhere.events() if event["event"] == "damaged"] == [
        caplog.records[0].args[2].args[0]
    ]
    assert not elsewhere.has(made)
    assert make(made, elsewhere, resources, quiet) is not None
    assert (elsewhere.fetch(made) / DIGEST).read_bytes() == program.expected(made)


def test_the_bytes_of_a_damaged_artefact_are_not_lost(
    made: Step, store: Store, elsewhere: Store, rewrite: Rewrite, program: ModuleType
) -> None:
    from fsspec.core import url_to_fs

    rewrite(made, DIGEST, flip)
    with pytest.raises(Unsound):
        elsewhere.fetch(made)
    system, root = url_to_fs(store.address)
    kept = {path.rpartition("/")[2]: system.cat_file(path) for path in system.find(f"{root}/damaged")}
    assert kept["digest.bin"] == flip(program.expected(made))
    assert kept["long.bin"] == program.expected(made) * 2000
    assert json.loads(kept[MANIFEST])["key"] == made.key


def test_a_missing_manifest_beside_files_is_no_artefact(
    made: Step, store: Store, elsewhere: Store, rewrite: Rewrite, resources: Resources
) -> None:
    rewrite(made, MANIFEST, lambda content: None)
    assert not elsewhere.has(made)
    assert make(made, store, resources, quiet) is not None
    assert store.has(made)


def test_a_copy_in_the_cache_that_was_changed_is_fetched_again(
    made: Step, program: ModuleType, tmp_path: Path
) -> None:
    store = Store("memory://cached", cache=tmp_path / "here")
    make(made, store, Resources(data_root=str(tmp_path)), quiet)
    (store.fetch(made) / DIGEST).write_bytes(flip(program.expected(made)))
    assert (store.fetch(made) / DIGEST).read_bytes() == program.expected(made)
    assert store.has(made)


def test_whoever_finds_damage_waits_for_the_one_who_repairs_it(
    made: Step, program: ModuleType, rewrite: Rewrite, elsewhere: Store, caplog: pytest.LogCaptureFixture
) -> None:
    rewrite(made, DIGEST, flip)
    found: list[Path] = []
    reader = threading.Thread(target=lambda: found.append(elsewhere.fetch(made)))
    with elsewhere.lock(made):
        reader.start()
        time.sleep(0.1)
        rewrite(made, DIGEST, flip)
    reader.join()
    assert (found[0] / DIGEST).read_bytes() == program.expected(made)
    assert caplog.text == ""
