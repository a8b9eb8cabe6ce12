"""Lists of what there is: defenses, attacks, networks, data sets, papers, with options and an example."""

from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path

from purifold.attacks.base import Attack
from purifold.autoencoders.mixture_spec import NAME as MIXTURE
from purifold.autoencoders.mixture_spec import mixture_options
from purifold.data.load import load, sources
from purifold.defenses.recipe import Recipe
from purifold.discovery import classes, instances
from purifold.engine.compose import options
from purifold.networks.base import Classifier, Encoder
from purifold.papers.library import papers


def catalogue(what: str) -> Iterator[str]:
    """Lines on everything of one kind: a key of `KINDS`."""
    return KINDS[what]()


def data_set(name: str, root: Path | None) -> Iterator[str]:
    """Lines on one data set, loaded: its parts, their sizes and hashes, its classes."""
    found = load(name, root)
    known = sources().get(name)
    if known is not None:
        yield f"{name}: {known.summary}"
    for part in (found.train, found.validation, found.test):
        if part is None:
            continue
        counts = Counter(part.labels.tolist()).values()
        channels, height, width = part.shape
        yield (
            f"{part.name}: {len(part)} images of {height}x{width}x{channels}, "
            f"{min(counts)} to {max(counts)} a class, hash {part.hash}"
        )
    names = found.test.classes
    yield f"{len(names)} classes: {', '.join(names[:12])}{', ...' if len(names) > 12 else ''}"  # noqa: PLR2004
    yield f"example: {_example(name)}"


def _defenses() -> Iterator[str]:
    for recipe in sorted(instances(Recipe).values(), key=lambda recipe: recipe.name):
        yield f"{recipe.name}: {recipe.summary}"
        listed = ", ".join(str(option) for option in recipe.options.values())
        if listed:
            yield f"    options: {listed}"
    yield "example: purifold evaluate --data digits --defense vae:latent_scale=0.1 --defense jpeg:quality=50"


def _attacks() -> Iterator[str]:
    for attack in sorted(classes(Attack).values(), key=lambda attack: attack.name):  # type: ignore[type-abstract]
        goal = "targeted too" if attack.targetable else "untargeted"
        yield f"{attack.name}: {_summary(attack)} ({', '.join(attack.norms)}; {goal})"
        yield f"    options: {', '.join(str(option) for option in options(attack).values())}"
    yield "example: purifold evaluate --data digits --defense vae --attack pgd:steps=100,restarts=5"


def _classifiers() -> Iterator[str]:
    yield from _networks(classes(Classifier))  # type: ignore[type-abstract]
    yield f"{MIXTURE}: Gaussian-mixture VAE whose encoder classifies; options: {', '.join(mixture_options())}"
    yield "example: purifold evaluate --data digits --defense vae --classifier mlp"


def _autoencoders() -> Iterator[str]:
    yield from _networks(classes(Encoder))  # type: ignore[type-abstract]
    yield "some defenses bring networks of their own"
    yield "example: purifold evaluate --data digits --defense vae --autoencoder ae-robustness"


def _networks(found: Mapping[str, type]) -> Iterator[str]:
    for name in sorted(found):
        yield f"{name}: {_summary(found[name])}"


def _data() -> Iterator[str]:
    for source in sources().values():
        yield f"{source.name}: {source.summary}"
        yield f"    example: {_example(source.name)}"
    yield "any folder of class folders: purifold evaluate --data path/to/folder --defense vae"


def _papers() -> Iterator[str]:
    for paper in papers().values():
        yield f"{paper.name}: {paper.summary}"
        yield f"    example: purifold reproduce {paper.name} --data-root DIR --scale smoke"


def _summary(described: type) -> str:
    return (described.__doc__ or "").partition("\n")[0].rstrip(".")


def _example(name: str) -> str:
    known = sources().get(name)
    if known is not None and known.defaults is None:
        return f"purifold data show {name} --data-root DIR"
    root = "" if name == "digits" else " --data-root DIR"
    return f"purifold evaluate --data {name}{root} --defense vae --scale smoke"


KINDS: Mapping[str, Callable[[], Iterator[str]]] = {
    "defenses": _defenses,
    "attacks": _attacks,
    "classifiers": _classifiers,
    "autoencoders": _autoencoders,
    "data": _data,
    "papers": _papers,
}
