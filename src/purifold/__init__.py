"""Autoencoder defenses of image classifiers, the attacks on them, and an honest evaluation of both."""

import importlib
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from purifold.attacks.apgd import AutoPGD as AutoPGD
    from purifold.attacks.base import Attack as Attack
    from purifold.attacks.base import MinimumNormAttack as MinimumNormAttack
    from purifold.attacks.cw import CarliniWagner as CarliniWagner
    from purifold.attacks.pgd import PGD as PGD
    from purifold.data.load import load as load
    from purifold.defenses.base import Defended as Defended
    from purifold.defenses.base import Detector as Detector
    from purifold.defenses.base import Purifier as Purifier
    from purifold.defenses.jpeg import JPEG as JPEG
    from purifold.defenses.patchwise import Patchwise as Patchwise
    from purifold.defenses.reconstruction import Reconstruction as Reconstruction
    from purifold.evaluation.evaluate import evaluate as evaluate
    from purifold.evaluation.sanity import sanity as sanity
    from purifold.evaluation.surface import surface as surface
    from purifold.losses import cross_entropy as cross_entropy
    from purifold.networks.base import build_classifier as build_classifier
    from purifold.threat import ThreatModel as ThreatModel
    from purifold.training.config import TrainingConfig as TrainingConfig
    from purifold.training.fit import fit as fit

__version__ = "0.1.0"

_HOMES = {
    "Attack": "attacks.base",
    "AutoPGD": "attacks.apgd",
    "CarliniWagner": "attacks.cw",
    "Defended": "defenses.base",
    "Detector": "defenses.base",
    "JPEG": "defenses.jpeg",
    "MinimumNormAttack": "attacks.base",
    "PGD": "attacks.pgd",
    "Patchwise": "defenses.patchwise",
    "Purifier": "defenses.base",
    "Reconstruction": "defenses.reconstruction",
    "ThreatModel": "threat",
    "TrainingConfig": "training.config",
    "build_classifier": "networks.base",
    "cross_entropy": "losses",
    "evaluate": "evaluation.evaluate",
    "fit": "training.fit",
    "load": "data.load",
    "sanity": "evaluation.sanity",
    "surface": "evaluation.surface",
}

__all__ = list(_HOMES)


def __getattr__(name: str) -> Any:
    """Imports a public name where it is first used, so that `import purifold` stays light."""
    if name not in _HOMES:
        raise AttributeError(f"module 'purifold' has no attribute {name!r}")
    return getattr(importlib.import_module(f"purifold.{_HOMES[name]}"), name)


def __dir__() -> list[str]:
    return sorted([*globals(), *_HOMES])
