"""How PuVAE's losses are weighted and reduced: figure 4 of `puvae`.

The paper shows rows of coefficients without saying how pixels and latent units are reduced; the readings
stand beside each other here, trained alike and shorter than what the tables show.
"""

from collections.abc import Mapping
from dataclasses import replace

from purifold.autoencoders.conditional_spec import ConditionalSpec
from purifold.engine.compose import attack
from purifold.engine.scale import Scale
from purifold.engine.step import Resources
from purifold.engine.steps.branches import Branches
from purifold.engine.steps.craft import Craft
from purifold.engine.steps.system import System
from purifold.engine.trainings import Workshop
from purifold.evaluation.surface import Knowledge
from purifold.papers.exhibit import BranchesFigure
from purifold.papers.puvae_cells import Cells
from purifold.threat import ThreatModel

SHORTER = 12
"""By how much fewer images each of these autoencoders sees than those of the tables."""
CAPTION = (
    "One image under targeted FGSM as autoencoders see it under each class, trained with several weights of "
    "reconstruction, divergence and source classifier. Framed in blue: the nearest. The shares are those of "
    "images that the classifier gets right behind the nearest ones: clean, attacked by someone who does not "
    "know the purifier, and by someone who does, with one step through the chosen class; all were trained on "
    f"a {SHORTER}th of the images that the purifier of the tables sees"
)
READINGS: Mapping[str, ConditionalSpec] = {
    "0.01, 0.1, 10: sums of pixels and units": ConditionalSpec(),
    "the same, the label as planes": ConditionalSpec(label="planes"),
    "0.01, 0.1, 10: sum of pixels, mean of units": ConditionalSpec(units="mean"),
    "0.01, 0.1, 10: both means": ConditionalSpec(pixels="mean", units="mean"),
    "0.01, 0.03, 10: sums": ConditionalSpec(kl_weight=0.03),
    "0.01, 0.3, 10: sums": ConditionalSpec(kl_weight=0.3),
    "0.01, 0.1, 0: sums, no source classifier": ConditionalSpec(ce_weight=0.0),
    "0, 0.1, 10: sums, no reconstruction": ConditionalSpec(rc_weight=0.0),
}


def branches_figure(cell: Cells, scale: Scale, resources: Resources, seed: int) -> BranchesFigure:
    """Figure 4."""
    system = cell.inside["puvae"].system
    shorter = replace(scale, encoded=scale.encoded // SHORTER)
    shop = Workshop(data=system.data, scale=shorter, resources=resources, seed=seed)
    return BranchesFigure(
        name="fig-4",
        caption=CAPTION,
        rows=tuple(
            (name, _branches(cell, System.of(system.classifier, "puvae", (shop.training(spec),)), seed))
            for name, spec in READINGS.items()
        ),
    )


def _branches(cell: Cells, system: System, seed: int) -> Branches:
    def craft(knowledge: Knowledge) -> Craft:
        return Craft.of(
            system,
            cell.paces["puvae"].count,
            attack(cell.subject.attacks["fgsm-targeted"]),
            ThreatModel("linf", cell.subject.epsilon),
            knowledge,
            seed=seed,
        )

    return Branches(system=system, craft=craft("oblivious"), known=craft("adaptive"), seed=seed)
