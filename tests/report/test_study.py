"""A paper from its plan to its page: all figures and claims, and the same files the second time."""

import re
from dataclasses import replace
from types import SimpleNamespace

import pytest

from purifold.engine.plan import Plan
from purifold.engine.step import Resources
from purifold.engine.store import Store
from purifold.papers import ae_robustness, vae_reconstruction, vae_reconstruction_cells
from purifold.papers.ae_robustness_cells import GRIDS
from purifold.papers.library import paper
from purifold.report.study import forecast, redraw, report, spent

RESOURCES = Resources()


def files(folder):
    return {str(path.relative_to(folder)): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


@pytest.fixture
def small(monkeypatch, few_queries):
    """Both papers on few images with few steps."""
    for grids in (GRIDS, vae_reconstruction_cells.GRIDS):
        grid = grids["smoke"]
        subjects = tuple(replace(subject, images=6) for subject in grid.subjects)
        monkeypatch.setitem(grids, "smoke", replace(grid, subjects=subjects))
    fast = ("cw-l2:search=bisect,search_steps=1,initial_c=1,steps=3", "i-fgsm:steps=2", "deepfool:steps=3")
    monkeypatch.setattr("purifold.papers.ae_robustness_cells.ATTACKS", fast)
    monkeypatch.setattr(vae_reconstruction_cells, "ATTACKS", ("fgsm", fast[0], "pgd:steps=2"))
    assert ae_robustness.GRIDS is GRIDS
    assert vae_reconstruction.GRIDS is vae_reconstruction_cells.GRIDS


@pytest.mark.slow
@pytest.mark.parametrize("name", ["ae-robustness", "vae-reconstruction"])
def test_a_second_run_makes_nothing_and_writes_the_same_files(name, small, tiny, tmp_path, capsys):
    found, store = paper(name), Store(tmp_path / "store")
    written = []
    for _ in range(2):
        report(found.study(tiny(), RESOURCES, 0), store, RESOURCES, tmp_path / "out", found.title)
        written.append(files(tmp_path / "out"))
    first, _, second = capsys.readouterr().out.partition("The report")
    assert ", 0 found in the store" in first
    assert "\n0 steps made" in second
    assert written[0] == written[1]
    (tmp_path / "out" / "report.html").unlink()
    redraw(found.study(tiny(), RESOURCES, 0), tmp_path / "out", found.title)
    assert files(tmp_path / "out") == written[0]
    page = written[0]["report.html"].decode()
    study = found.study(tiny(), RESOURCES, 0)
    assert all(f"<h2>{exhibit.name}</h2>" in page for exhibit in study.exhibits)
    assert page.count("<svg") == sum(name.endswith(".svg") for name in written[0])
    table = written[0]["table.md"].decode()
    networks = {experiment.system.classifier.network for experiment in study.experiments}
    headings = ["digits"] if len(networks) == 1 else [f"digits, {network}" for network in networks]
    assert sorted(re.findall(r"## (.*)", table)) == sorted(headings)
    assert all(f"the classifier, {network}, is right" in table for network in networks)
    claims = written[0]["claims.md"].decode()
    assert all(f"## {claim.text}" in claims for claim in study.claims)
    records = [name for name in written[0] if name.startswith("records/") and name.endswith(".json")]
    assert len(records) == len(study.experiments)


@pytest.mark.parametrize(
    ("seconds", "unknown", "minutes", "found", "says"),
    [
        (0.0, 2, None, 0, "2 steps to make, none of a kind that was timed here; 0 found in the store."),
        (0.0, 2, 54.6, 0, "2 steps to make; the whole study takes about 55 min on two cores; 0 found"),
        (90.0, 0, 55.0, 0, "2 steps to make; the whole study takes about 55 min on two cores; 0 found"),
        (90.0, 0, 55.0, 1, "2 steps to make in about 90 s; 1 found"),
        (90.0, 1, None, 0, "2 steps to make in about 90 s, and 1 of a kind never timed here; 0 found"),
    ],
)
def test_a_forecast_says_what_was_timed_here_or_else_elsewhere(tiny, seconds, unknown, minutes, found, says):
    """Times from here may be of another scale, where nothing of this study is in the store."""
    steps = paper("ae-robustness").study(tiny(), RESOURCES, 0).steps()
    coming = Plan(done=steps[2 : 2 + found], todo=steps[:2], seconds=seconds, unknown=unknown)
    assert forecast(coming, minutes).startswith(says)


def test_what_was_spent_is_the_sum_of_the_steps_that_are_there(tiny, tmp_path, monkeypatch):
    study, store = paper("ae-robustness").study(tiny(), RESOURCES, 0), Store(tmp_path)
    assert spent(study, store).startswith("0 steps of it are in the store")
    times = iter([30.0, 12.0])
    there = {step.key for step in study.steps()[:2]}
    monkeypatch.setattr(store, "has", lambda step: step.key in there)
    monkeypatch.setattr(store, "manifest", lambda step: SimpleNamespace(seconds=next(times)))
    assert spent(study, store) == "2 steps of it are in the store; one after another they took 42 s."


@pytest.mark.slow
def test_one_figure_comes_without_claims(small, tiny, tmp_path):
    found = paper("ae-robustness")
    study = found.study(tiny(), RESOURCES, 0).only(["fig-4"])
    report(study, Store(tmp_path / "store"), RESOURCES, tmp_path / "out", found.title)
    written = files(tmp_path / "out")
    assert [name for name in written if name.endswith(".svg")] == ["figures/fig-4.svg"]
    assert "claims.md" not in written
