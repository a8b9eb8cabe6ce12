"""Adversarial training as a defense: a classifier fitted to attacked images takes the place of the bare one.

Goodfellow et al., 2015, arXiv:1412.6572, section 6; Wong et al., 2020, arXiv:2001.03994; Madry et al., 2018,
arXiv:1706.06083; a baseline of `puvae`, which does not say which attack it trained on.
"""

from functools import partial

from purifold.defenses.base import Defended
from purifold.defenses.recipe import Parts, Recipe
from purifold.training.adversarial import AdversarialSpec


def _assemble(parts: Parts) -> Defended:
    (hardened,) = parts.autoencoders
    return Defended(hardened)


adversarial_fgsm = Recipe(
    name="adversarial-fgsm",
    summary="the network trained again, half on clean and half on images under FGSM from a random point",
    assemble=_assemble,
    autoencoders=(partial(AdversarialSpec, method="fgsm"),),
)
adversarial_pgd = Recipe(
    name="adversarial-pgd",
    summary="the network trained again, on PGD images alone",
    assemble=_assemble,
    autoencoders=(partial(AdversarialSpec, method="pgd", share=1.0),),
)
