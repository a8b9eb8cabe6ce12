"""The base study: FGSM and I-FGSM on MNIST against a VAE and JPEG, by who knows the defense and who does not.

It follows Table 4 and Fig. 2 of Luo and Pfister (`patch-vae`): their classifier, VAE and attacks.

Differs: the attacked images are the first of the test part, as many as the scale says; budgets go on to
0.3, where the undefended classifier must fall; every oblivious number has its adaptive twin.
"""

from purifold.engine.compose import Question, compose
from purifold.engine.scale import Scale
from purifold.engine.step import Resources
from purifold.papers.base import Paper, Study

EPSILONS = (0.005, 0.03, 0.06, 0.09, 0.12, 0.2, 0.3)


def _study(scale: Scale, resources: Resources, seed: int) -> Study:
    question = Question(
        data="mnist",
        defenses=("none", "jpeg:quality=23", "vae"),
        attacks=("fgsm", "i-fgsm"),
        epsilons=EPSILONS,
        seed=seed,
    )
    return Study(experiments=tuple(compose(question, scale, resources)))


FOUNDATION = Paper(
    name="foundation",
    title="MNIST under FGSM and I-FGSM: a VAE and JPEG",
    summary="the base study: table 4 of patch-vae on MNIST, with the adaptive attacker it lacks",
    study=_study,
    minutes={"cpu": 27.0},
)
