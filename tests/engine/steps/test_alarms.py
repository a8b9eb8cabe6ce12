"""Each detector's alarms are counted by themselves, and together as the system turns images away."""

from safetensors.torch import load_file

from purifold.defenses.base import REJECTED
from purifold.engine.step import Resources
from purifold.engine.steps.alarms import read_alarms
from purifold.engine.steps.craft import ADVERSARIAL, IMAGES


def test_counts_are_those_of_each_detector_asked_alone(refusing):
    found, steps, system = refusing
    attacked = load_file(found["craft"] / ADVERSARIAL)[IMAGES]
    clean = steps["alarms"].system.data.part("test", Resources(), 60).images()
    for name, images in (("alarms", attacked), ("no alarms", clean)):
        alarmed = read_alarms(found[name])
        assert alarmed.images == 60
        assert alarmed.by == {one.name: int((~one.accepts(images)).sum()) for one in system.detectors}
        assert alarmed.any == int((system.predict(images) == REJECTED).sum())
    raised, untouched = (read_alarms(found[name]) for name in ("alarms", "no alarms"))
    assert min(raised.by.values()) > 0
    assert untouched.any < raised.any
