"""A defended system as steps describe it: which classifier, which defense, trained how."""

from collections import OrderedDict
from dataclasses import dataclass
from typing import Any, final

from purifold.defenses.base import Defended
from purifold.defenses.recipe import Recipe, parse
from purifold.engine.step import Workbench, canonical
from purifold.engine.steps.classifier import Classifying
from purifold.engine.steps.data import Data
from purifold.engine.steps.training import Training

BARE = "none"
KEPT = 2
"""Systems that a process keeps: mostly a defense and its bare classifier."""
_built: OrderedDict[tuple[Any, ...], Defended] = OrderedDict()


@final
@dataclass(frozen=True, kw_only=True)
class System:
    """Everything that decides what a defended system answers.

    Args:
        data: Whose validation images set the thresholds.
        classifier: Trained on clean images, and not changed by the defense.
        defense: As `purifold.defenses.recipe.parse` takes it.
        options: Every option of the defense as JSON text, so that a changed default is another system.
        autoencoders: What the defense needs trained, in its order.
    """

    data: Data
    classifier: Classifying
    defense: str
    options: str
    autoencoders: tuple[Training[Any], ...]

    @classmethod
    def of(
        cls, classifier: Classifying, defense: str, autoencoders: tuple[Training[Any], ...] = ()
    ) -> "System":
        """The system of a defense, whose options are written out in full."""
        recipe = parse(defense)
        return cls(
            data=classifier.data,
            classifier=classifier,
            defense=str(recipe),
            options=canonical(recipe.describe()),
            autoencoders=autoencoders,
        )

    @property
    def subject(self) -> str:
        """What is protected, as progress lines call it."""
        return f"{self.classifier.network} on {self.data.name}"

    @property
    def recipe(self) -> Recipe:
        """Of the defense."""
        return parse(self.defense)

    @property
    def still(self) -> "System":
        """The system with its sampling off: systems that differ in their sampling alone share it."""
        return System.of(self.classifier, str(self.recipe.still), self.autoencoders)

    @property
    def bare(self) -> "System":
        """The classifier alone: all that an oblivious attacker sees."""
        return System.of(self.classifier, BARE)

    def build(self, bench: Workbench) -> Defended:
        """The system in evaluation mode, on the device of the work, not to be changed.

        Setting thresholds may take longer than the step itself, and steps of one system follow one another:
        the last ones built in this process are kept.
        """
        needed = (self.classifier, *self.autoencoders)
        place = (self, bench.resources, *(bench.artefact(step) for step in needed))
        if place not in _built:
            while len(_built) >= KEPT:
                _built.popitem(last=False)
            _built[place] = self._new(bench)
        _built.move_to_end(place)
        return _built[place]

    def _new(self, bench: Workbench) -> Defended:
        defended = self.recipe.build(
            self.classifier.load(bench),
            [autoencoder.load(bench) for autoencoder in self.autoencoders],
            self.data.load(bench.resources).validation,
        )
        return defended.to(bench.resources.device).eval()
