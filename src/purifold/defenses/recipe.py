"""Recipes: how a named defense is made for one data set, as the command line offers it.

A recipe is a module-level object in its defense's own file, where `purifold.discovery` finds it. Its options
are declared once, by the code that takes them: the keyword-only arguments of `assemble`, and the fields of
the descriptions of what must be trained first, which are mostly autoencoders.
"""

import inspect
from collections.abc import Callable, Sequence
from dataclasses import MISSING, Field, dataclass, fields, replace
from functools import cache, partial
from typing import Any, TypeAlias, cast, final

from torch import nn

from purifold.autoencoders.spec import OF_VARIATIONAL
from purifold.checks import check_evaluating
from purifold.data.split import Split
from purifold.defenses.base import SECOND_LOOK, Defended, resolving
from purifold.discovery import instances
from purifold.errors import InputError, unknown
from purifold.options import Option, Value, as_json, chosen, settings, supported
from purifold.types import Images

Unfinished: TypeAlias = "partial[Any]"
"""A description of something to train, which may lack what the study decides; see `Recipe.specs`."""
FIXED = ("kind", "pooled")
"""What a recipe's name says: not an option."""
RATE, FEW = "false_positive_rate", 64
"""The option that says how many clean images a threshold needs, and how many do where none does."""


@final
@dataclass(frozen=True, eq=False)
class Parts:
    """What a recipe assembles.

    Args:
        classifier: Images in [0, 1] to logits.
        autoencoders: Trained, in the order of the recipe's specifications, each as one builds it.
        clean: Held-out clean images for thresholds.
    """

    classifier: nn.Module
    autoencoders: tuple[Any, ...]
    clean: Split | None

    def clean_images(self) -> Images:
        """The held-out clean images; refuses where there are none."""
        if self.clean is None:
            raise InputError("clean must be held-out clean images to set a threshold by, got None")
        return self.clean.images()


@final
@dataclass(frozen=True, kw_only=True)
class Recipe:
    """A defense by name, with the options that were chosen.

    Args:
        name: As in `purifold list defenses`.
        summary: One line for that list.
        assemble: Takes `Parts` and, as keyword-only arguments with type and default, the defense's options.
        autoencoders: What must be trained first; a generator or another classifier stands here, too.
        sampling: The option that scales what is drawn at every prediction; at 0 nothing is.
        effort: Options that say how long an answer is searched for; with 1 for each it takes no time.
        differentiable: Whether what is assembled has a gradient of its own.
        transparent: Whether its purifier's surrogate leaves images as they are, and there are no detectors:
            an attack on the surrogate alone is one on the classifier.
        stand_ins: Names of what its purifier offers an attacker in place of itself, and of the `WEIGHINGS`
            of its detectors, in `purifold.evaluation.evasion`, that are tried.
        second: The option by which rejected images are classified again, unless it is "never".
        needs: The kind of classifier that it works with; unless any will do, the one that `--classifier`
            knows by the name of the defense.
        fixed: Fields of the descriptions that the name of the defense settles: no options.
        chosen: Options that were set, sorted by name; see `with_options`.
    """

    name: str
    summary: str
    assemble: Callable[..., Defended]
    autoencoders: tuple[Unfinished, ...] = ()
    sampling: str | None = None
    effort: tuple[str, ...] = ()
    differentiable: bool = True
    transparent: bool = False
    stand_ins: tuple[str, ...] = ()
    second: str | None = None
    needs: type[nn.Module] = nn.Module
    fixed: tuple[str, ...] = ()
    chosen: tuple[tuple[str, Value], ...] = ()

    def __str__(self) -> str:
        """The text that `parse` reads back."""
        options = ",".join(f"{name}={value}" for name, value in self.chosen)
        return f"{self.name}:{options}" if options else self.name

    @property
    def options(self) -> dict[str, Option]:
        """What can be set, by name: the assembly's options, then those of the autoencoders."""
        options = (*self._of_assembly(), *self._of_autoencoders())
        return {option.name: option for option in options}

    @property
    def stochastic(self) -> bool:
        """Whether the assembled system draws at every prediction."""
        return self.sampling is not None and bool(self._for_assembly()[self.sampling])

    @property
    def still(self) -> "Recipe":
        """The same with sampling off: what an attacker sees who turns it off."""
        return self if self.sampling is None else self.with_options(**{self.sampling: 0.0})

    @property
    def brief(self) -> "Recipe":
        """The same with the least effort: answers of the same shapes, soon."""
        return self.with_options(**dict.fromkeys(self.effort, 1))

    @property
    def offered(self) -> tuple[str, ...]:
        """What attackers who know it look at beside the system itself: the stand-ins, and any second look."""
        again = self.second is not None and self._for_assembly()[self.second] != "never"
        return (*self.stand_ins, SECOND_LOOK) if again else self.stand_ins

    def with_options(self, **values: Value) -> "Recipe":
        """The same recipe with these set; an autoencoder's option holds for each that is trained and has it.

        Raises `InputError` for an option that the recipe does not have and for a value of another type.
        """
        found = dict(self.chosen) | chosen(f"defense {self.name}", values, self.options)
        return replace(self, chosen=tuple(sorted(found.items())))

    def specs(self, **of_study: Any) -> tuple[Any, ...]:
        """What must be trained first, in the order that `build` takes it.

        Args:
            of_study: What the study decides where neither the recipe nor its options do: `network` and
                `latent` of autoencoders, the `classifier` that is protected, the largest `epsilon`. What no
                description here asks for may be left out.
        """
        return tuple(
            unfinished.func(
                **{name: of_study[name] for name in self._asked(unfinished)} | self._for_spec(unfinished)
            )
            for unfinished in self.autoencoders
        )

    @property
    def least(self) -> int:
        """How many clean images its thresholds must be set by; `FEW` where nothing says so."""
        rate = self._for_assembly().get(RATE, 1.0)
        return max(FEW, resolving(rate)) if rate > 0 else FEW

    def build(
        self, classifier: nn.Module, trained: Sequence[nn.Module] = (), clean: Split | None = None
    ) -> Defended:
        """The defended system, in evaluation mode.

        Args:
            classifier: Images in [0, 1] to logits, in evaluation mode.
            trained: One autoencoder for each of `specs`, in evaluation mode.
            clean: Held-out clean images, which set detectors' thresholds; the validation part.
        """
        if len(trained) != len(self.autoencoders):
            raise InputError(
                f"trained must be {len(self.autoencoders)} autoencoder(s) for defense {self.name}, "
                f"got {len(trained)}"
            )
        check_evaluating(classifier, "classifier")
        if not isinstance(classifier, self.needs):
            raise InputError(
                f"defense {self.name} refuses by its classifier's own parts, which "
                f"{type(classifier).__name__} has not; evaluate it with --classifier {self.name}"
            )
        for autoencoder in trained:
            check_evaluating(autoencoder, "trained")
        try:
            return self.assemble(Parts(classifier, tuple(trained), clean), **self._for_assembly()).eval()
        except InputError as error:
            raise InputError(f"defense {self.name}: {error}") from error

    def describe(self) -> dict[str, Any]:
        """All that the recipe decides, defaults too, for JSON; what is left to the data set is left out."""
        autoencoders = [self._for_spec(unfinished) for unfinished in self.autoencoders]
        return {
            "name": self.name,
            "options": {name: as_json(value) for name, value in self._for_assembly().items()},
            "autoencoders": [{name: as_json(value) for name, value in spec.items()} for spec in autoencoders],
        }

    def _of_assembly(self) -> list[Option]:
        return [
            Option(argument.name, argument.annotation, argument.default)
            for argument in inspect.signature(self.assemble).parameters.values()
            if argument.kind is argument.KEYWORD_ONLY
        ]

    def _of_autoencoders(self) -> list[Option]:
        # Where autoencoders differ, the first that has the option gives its default.
        found: dict[str, Option] = {}
        for unfinished in reversed(self.autoencoders):
            found |= {option.name: option for option in _settable(unfinished)}
        return [option for option in found.values() if option.name not in self.fixed]

    def _for_assembly(self) -> dict[str, Any]:
        chosen = dict(self.chosen)
        return {option.name: chosen.get(option.name, option.default) for option in self._of_assembly()}

    def _asked(self, unfinished: Unfinished) -> list[str]:
        return [name for name in _open(unfinished) if name not in self._for_spec(unfinished)]

    def _for_spec(self, unfinished: Unfinished) -> dict[str, Any]:
        """All fields of one autoencoder, but those that are left to the data set."""
        own = {option.name for option in _settable(unfinished)}
        return _defaults(unfinished) | {name: value for name, value in self.chosen if name in own}


def _fields(unfinished: Unfinished) -> tuple[Field[Any], ...]:
    return fields(cast(Any, unfinished.func))


def _settable(unfinished: Unfinished) -> list[Option]:
    settings = dict.fromkeys(_open(unfinished)) | _defaults(unfinished)
    return [
        Option(entry.name, entry.type, settings[entry.name])
        for entry in _fields(unfinished)
        if entry.name in settings and entry.name not in FIXED and supported(entry.type)
    ]


def _open(unfinished: Unfinished) -> tuple[str, ...]:
    """The fields that are left to the data set, unless an option sets them."""
    declared = [entry.name for entry in _fields(unfinished) if entry.default is MISSING]
    return tuple(name for name in declared if name not in unfinished.keywords)


def _defaults(unfinished: Unfinished) -> dict[str, Any]:
    """The fields that this kind of autoencoder has, where no option sets them; without the data set's."""
    foreign = OF_VARIATIONAL if unfinished.keywords.get("kind") == "plain" else ()
    declared = [entry for entry in _fields(unfinished) if entry.default is not MISSING]
    return {
        entry.name: entry.default for entry in declared if entry.name not in foreign
    } | unfinished.keywords


@cache
def parse(text: str) -> Recipe:
    """The recipe that `text` names, "vae" or "vae:latent_scale=0.1,latent=64"; refuses unknown names."""
    name, values = settings(text)
    recipes = instances(Recipe)
    if name not in recipes:
        raise unknown("defense", name, recipes)
    return recipes[name].with_options(**values)


def _bare(parts: Parts) -> Defended:
    return Defended(parts.classifier)


none = Recipe(name="none", summary="the bare classifier", assemble=_bare)
