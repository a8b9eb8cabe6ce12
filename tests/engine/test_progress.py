"""Progress: lines in a log, bars on a terminal."""

import io

import pytest

from purifold.engine.progress import Event, duration, shown, silent


def event(state: str, done: int, **changes: object) -> Event:
    values = {
        "kind": "train",
        "label": "train [mnist]",
        "total": 12,
        "fraction": 0.0,
        "note": "",
        "seconds": 0.0,
    }
    return Event(**{**values, "state": state, "done": done, "remaining": None, **changes})


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


def test_a_log_gets_one_line_for_each_step_that_is_over(capsys: pytest.CaptureFixture[str]) -> None:
    with shown() as listener:
        listener(event("running", 0, fraction=0.5))
        listener(event("made", 1, seconds=12.3, remaining=600.0))
        listener(event("waiting", 1))
        listener(event("found", 2))
        listener(event("again", 2, note="the worker died", remaining=30.0, running=4))
        listener(event("failed", 3, note="diverged", remaining=30.0))
        listener(event("skipped", 12, note="needs a step that failed", remaining=0.0))
    assert capsys.readouterr().err.splitlines() == [
        "[ 1/12] made    train [mnist] in 12 s, about 10 min left",
        "[ 2/12] found   train [mnist]",
        "[ 2/12] again   train [mnist]: the worker died, about 30 s left",
        "[ 3/12] failed  train [mnist]: diverged, about 30 s left",
        "[12/12] skipped train [mnist]: needs a step that failed",
    ]


def test_a_log_says_now_and_then_how_far_a_long_step_is(capsys, monkeypatch) -> None:
    times = iter([0.0, 60.0, 121.0, 121.0, 180.0, 240.0, 250.0])
    monkeypatch.setattr("purifold.engine.progress.monotonic", lambda: next(times))
    with shown() as listener:
        for minute in (1, 2, 3):
            listener(event("running", 0, fraction=minute / 9, note=f"epoch {minute}", seconds=60.0 * minute))
        listener(event("made", 1, seconds=240.0))
        listener(event("waiting", 1))
    assert capsys.readouterr().err.splitlines() == [
        "[ 0/12] running train [mnist] for 2 min: epoch 2",
        "[ 1/12] made    train [mnist] in 4 min",
    ]


def test_a_terminal_gets_bars_and_the_lines_of_failures(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TERM", "xterm")
    monkeypatch.setenv("COLUMNS", "160")
    stream = Terminal()
    monkeypatch.setattr("sys.stderr", stream)
    with shown() as listener:
        listener(event("running", 0, fraction=0.5, note="epoch 3"))
        listener(event("failed", 1, note="diverged [/x]", remaining=90.0))
        listener(event("running", 1, fraction=0.25, note="epoch 7", remaining=90.0, running=4, failed=2))
    text = stream.getvalue()
    assert "failed  train [mnist]: diverged [/x]" in text
    assert "1/12, 4 running, 7 waiting, 2 failed, about 90 s left" in text
    assert "train [mnist]" in text
    assert "epoch 7" in text
    assert "made" not in text


def test_silence_is_silent(capsys: pytest.CaptureFixture[str]) -> None:
    silent(event("failed", 1))
    assert capsys.readouterr() == ("", "")


@pytest.mark.parametrize(
    ("seconds", "text"),
    [
        (0.04, "0.0 s"),
        (9.94, "9.9 s"),
        (59.6, "60 s"),
        (99.0, "99 s"),
        (100.0, "2 min"),
        (3599.0, "1 h 00 min"),
        (7500.0, "2 h 05 min"),
    ],
)
def test_durations_read_as_one_says_them(seconds: float, text: str) -> None:
    assert duration(seconds) == text
