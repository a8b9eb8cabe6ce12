"""A Gaussian-mixture VAE that classifies by its encoder, and refuses what its latent or its decoder doubts.

Ghosh, Losalka and Black, 2019, "Resisting adversarial attacks using Gaussian mixture variational
autoencoders" (`gm-vae`), section 3.
"""

from functools import partial
from typing import Literal, TypeAlias, cast

import torch

from purifold.autoencoders.mixture import MixtureAutoencoder
from purifold.autoencoders.mixture_spec import MixtureSpec
from purifold.batches import at_once, in_batches
from purifold.defenses.base import Defended, Detector
from purifold.defenses.latent_distance import LatentDistance, spread
from purifold.defenses.latent_search import LatentSearch, Objective
from purifold.defenses.recipe import Parts, Recipe
from purifold.defenses.reconstruction_error import ReconstructionError
from purifold.errors import InputError
from purifold.types import Images

Rule: TypeAlias = Literal["three-sigma", "quantile", "all"]
"""By "all" every image is rejected, so that the second look alone answers."""
Second: TypeAlias = Literal["never", "refusing", "always"]
SIGMAS, RATE = 3, 0.01
STEPS: int = 100
OBJECTIVE: Objective = "loss"
BELOW = -1.0
"""A threshold that any score of either detector exceeds."""
WEIGHED = ("weighed-0.1", "weighed-1", "weighed-10")


def _gm_vae(
    parts: Parts,
    *,
    rule: Rule = "three-sigma",
    false_positive_rate: float = RATE,
    reclassify: Second = "never",
    steps: int = STEPS,
    objective: Objective = OBJECTIVE,
) -> Defended:
    autoencoder = cast(MixtureAutoencoder, parts.classifier)
    detectors = _detectors(parts, autoencoder, rule, false_positive_rate)
    return Defended(
        autoencoder, None, detectors, _second(autoencoder, detectors, reclassify, steps, objective)
    )


def _mixture_detector(
    parts: Parts,
    *,
    rule: Rule = "three-sigma",
    false_positive_rate: float = RATE,
    reclassify: Second = "never",
    steps: int = STEPS,
    objective: Objective = OBJECTIVE,
) -> Defended:
    (autoencoder,) = parts.autoencoders
    detectors = _detectors(parts, autoencoder, rule, false_positive_rate)
    return Defended(
        parts.classifier, None, detectors, _second(autoencoder, detectors, reclassify, steps, objective)
    )


def _detectors(
    parts: Parts, autoencoder: MixtureAutoencoder, rule: Rule, rate: float
) -> tuple[LatentDistance, ReconstructionError]:
    if rule != "quantile" and rate != RATE:
        raise InputError("false_positive_rate is of thresholds by rule=quantile; give both, or not the rate")
    clean = parts.clean_images()
    latent = LatentDistance(autoencoder, spread(autoencoder, clean)).eval()
    output = ReconstructionError(autoencoder, order=2).eval()
    if rule == "three-sigma":
        latent.three_sigma()
        three_sigma(output, clean)
    elif rule == "all":
        latent.threshold.fill_(BELOW)
        output.threshold.fill_(BELOW)
    else:
        latent.calibrate(clean, rate)
        output.calibrate(clean, rate)
    return latent, output


def _second(
    autoencoder: MixtureAutoencoder,
    detectors: tuple[LatentDistance, ReconstructionError],
    reclassify: Second,
    steps: int,
    objective: Objective,
) -> LatentSearch | None:
    if reclassify == "never":
        if (steps, objective) != (STEPS, OBJECTIVE):
            raise InputError(
                "steps and objective are of a second look; give reclassify=always or refusing too"
            )
        return None
    latent, output = detectors if reclassify == "refusing" else (None, None)
    return LatentSearch(autoencoder, steps=steps, objective=objective, latent=latent, output=output)


@torch.no_grad()
def three_sigma(detector: Detector, clean: Images) -> None:
    """Sets a detector's threshold three standard deviations above its mean score of held-out clean images."""
    scores = in_batches(detector, clean, at_once(clean))
    detector.threshold.copy_(scores.mean() + SIGMAS * scores.std())


gm_vae = Recipe(
    name="gm-vae",
    summary="Gaussian-mixture VAE as classifier; refuses codes far from every class and bad reconstructions",
    assemble=_gm_vae,
    stand_ins=WEIGHED,
    second="reclassify",
    needs=MixtureAutoencoder,
)
mixture_detector = Recipe(
    name="mixture-detector",
    summary="the two detectors of a Gaussian-mixture VAE, and its second look, beside any classifier",
    assemble=_mixture_detector,
    autoencoders=(partial(MixtureSpec),),
    stand_ins=WEIGHED,
    second="reclassify",
)
