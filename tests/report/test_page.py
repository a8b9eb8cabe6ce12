"""The page: one file, whole, and nothing fetched."""

import re
from html.parser import HTMLParser

import numpy as np
import pytest

from purifold.engine.steps.gallery import Pictures, Shown
from purifold.report.page import write_page


@pytest.fixture
def page(records, results, tmp_path):
    images = np.zeros((3, 8, 8, 1), dtype=np.uint8)
    shown = Shown(images, images, np.array([0, 1, -1]))
    pictures = Pictures(np.zeros(3, dtype=np.int64), ("zero", "one"), {"clean": shown, "adaptive": shown})
    galleries = {f"digits-{record.defense['name']}": pictures for record in records}
    history = {"train_loss": [2.0, 1.0], "validation_loss": [2.0, 1.5]}
    path = write_page(results(records, galleries=galleries, trainings={"train small-cnn": history}), tmp_path)
    return path.read_text()


def test_nothing_is_fetched(page):
    addresses = re.findall(r'(?:src|href|url)\s*[=(]\s*"?([^")\s>]+)', page)
    assert all(address.startswith(("data:", "#")) for address in addresses)
    assert "<script" not in page


def test_every_defense_has_its_numbers_its_pictures_and_its_checks(page):
    for name in ("none", "vae", "jpeg"):
        assert f"<summary>{name}" in page
        assert f"before and after {name}" in page
    assert "40.0 [30.9, 49.8]" in page
    assert page.count("gradients exist") == 3


def test_a_failed_check_colours_the_numbers_of_its_defense(page):
    rows = re.findall(r'<tr( class="unreliable")?><td class="text">(\w+)</td>', page)
    assert {name for mark, name in rows if mark} == {"jpeg"}
    assert {name for mark, name in rows if not mark} == {"none", "vae"}


def test_the_tags_close(page):
    open_tags = []

    class Reader(HTMLParser):
        def handle_starttag(self, tag, attrs):
            if tag not in ("meta", "br", "img", "path", "use"):
                open_tags.append(tag)

        def handle_endtag(self, tag):
            if tag not in ("path", "use", "img"):
                assert open_tags.pop() == tag

    Reader().feed(page)
    assert open_tags == []


def test_what_came_from_the_user_is_escaped(records, results, tmp_path):
    from dataclasses import replace

    renamed = [replace(record, title="<script>alert(1)</script>") for record in records[:1]]
    shown = Shown(np.zeros((1, 8, 8, 1), np.uint8), np.zeros((1, 8, 8, 1), np.uint8), np.zeros(1, int))
    pictures = Pictures(np.zeros(1, int), ("zero",), {"clean": shown})
    history = {"train_loss": [1.0], "validation_loss": []}
    path = write_page(
        results(renamed, galleries={"digits-none": pictures}, trainings={"train": history}), tmp_path
    )
    assert "<script>" not in path.read_text()
