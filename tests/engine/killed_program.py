"""A small study of real trainings and attacks, which `test_real_kill` starts with its store, and kills."""

from contextlib import redirect_stderr
from io import StringIO

import torch

from purifold.engine.compose import Question, compose
from purifold.engine.local import run
from purifold.engine.scale import Scale
from purifold.engine.step import Resources
from purifold.engine.store import Store

folder: str
"""Of the store; given from outside."""

torch.set_num_threads(1)
sizes = dict(images=12, seen=5_500, encoded=11_000, epochs=5, draws=2, eot=2, audit=4, played=1_000)
tiny = Scale(name="smoke", **sizes)
question = Question(data="digits", defenses=("none", "vae"), attacks=("pgd:steps=5",), epsilons=(0.1, 0.3))
experiments = compose(question, tiny, Resources())
with redirect_stderr(StringIO()):
    run([step for experiment in experiments for step in experiment.steps()], Store(folder), Resources())
