"""Measurements as JSON: means with their intervals, and what cannot be averaged counted."""

import json
import math

import numpy as np
import pytest
from scipy import stats

from purifold.engine.steps.codes import Codes, Extent, Shift
from purifold.engine.store import Store
from purifold.papers.exhibit import CodesAt, CodesCurve, CodesFigure, CodesPanel, Exhibit
from purifold.report import measured
from purifold.report.measured import MEASURED
from purifold.threat import ThreatModel


def below(kind):
    """The class and all its subclasses."""
    return {kind} | {found for inner in kind.__subclasses__() for found in below(inner)}


def test_a_mean_has_half_the_width_of_its_interval_beside_it():
    values = np.array([0.1, 0.5, 0.25, 0.9, -0.3])
    low, high = stats.norm.interval(0.95, loc=values.mean(), scale=stats.sem(values))
    assert measured._mean(values) == pytest.approx((values.mean(), (high - low) / 2), rel=1e-4)


@pytest.mark.parametrize(("values", "mean"), [([], math.nan), ([0.25], 0.25)])
def test_a_mean_of_one_or_none_has_no_interval(values, mean):
    found, half = measured._mean(np.array(values))
    assert found == pytest.approx(mean, nan_ok=True)
    assert math.isnan(half)


def test_ratios_to_codes_at_the_origin_are_counted_and_not_averaged(composed, tmp_path, monkeypatch):
    (experiment,) = composed(defenses=("vae",), attacks=("fgsm",), epsilons=(0.1,), seed=4)
    (training,) = experiment.system.autoencoders
    (craft, *_) = experiment.crafts("adaptive", ThreatModel("linf", 0.1))
    point = CodesAt(x=0.2, codes=Codes(autoencoder=training), shift=Shift(autoencoder=training, craft=craft))
    panel = CodesPanel(title="digits", curves=(CodesCurve(label="VAE", points=(point,)),))
    shift = np.array([0.5, 0.7, 0.9]), np.array([1.0, math.inf, 2.0])
    monkeypatch.setattr(Store, "fetch", lambda store, step: tmp_path)
    monkeypatch.setattr(measured, "read_shift", lambda folder: shift)
    monkeypatch.setattr(
        measured, "read_extent", lambda folder: Extent(images=497, diameter=3.5, variances=(0.1, 0.0))
    )
    figure = CodesFigure(name="f", caption="c", xlabel="x", panels=(panel,))
    (found,) = measured.measured(figure, Store(tmp_path))
    ((drawn,),) = found["curves"].values()
    assert drawn["cosine"] == pytest.approx([0.7, 1.96 * 0.2 / math.sqrt(3)])
    assert drawn["ratio"][0] == 1.5
    assert (drawn["infinite"], drawn["attacked_images"], drawn["encoded_images"]) == (1, 3, 497)
    assert (drawn["x"], drawn["diameter"], drawn["seed"]) == (0.2, 3.5, 4)
    json.dumps(found, allow_nan=False)


def test_exhibits_that_measure_something_are_those_that_are_read():
    measuring = {kind for kind in below(Exhibit) if kind.measurements is not Exhibit.measurements}
    assert measuring == set(MEASURED)
