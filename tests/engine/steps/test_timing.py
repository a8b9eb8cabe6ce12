"""Timing: the median of repetitions, as many as fit in a second."""

import time

import torch

from purifold.engine.steps import timing


def test_the_median_of_what_was_taken_after_a_first_call_that_does_not_count():
    pauses = iter([0.3, 0.02, 0.4, 0.02, 0.02, 0.6])
    calls = []

    def predict(images):
        calls.append(len(images))
        time.sleep(next(pauses))

    found = timing._seconds(predict, torch.zeros(3, 1, 2, 2))
    assert 0.02 <= found < 0.2  # of 0.02, 0.4, 0.02, 0.02, 0.6; their mean is 0.21
    assert calls == [3] * 6


def test_quick_work_is_repeated_ten_times():
    calls = []
    timing._seconds(calls.append, torch.zeros(1, 1, 2, 2))
    assert len(calls) == 1 + timing.MOST
