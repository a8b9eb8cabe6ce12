"""A store in words: what `purifold status` and `purifold clean` print."""

from collections import Counter
from collections.abc import Collection, Iterator, Mapping

from purifold.engine.inventory import Inventory, Waste
from purifold.engine.progress import duration

_LISTED = 20


def status(found: Inventory) -> Iterator[str]:
    """Lines: a table of what is made, by kind, then what runs, failed, was left and is damaged."""
    kinds = sorted({place.split("/")[0] for place in found.sizes})
    width = max(map(len, ["total", *kinds]))
    yield f"{'kind':<{width}} {'made':>7} {'time':>12} {'size':>10}"
    for kind in (*kinds, "total"):
        places = [place for place in found.sizes if kind in (place.split("/")[0], "total")]
        seconds = sum((found.seconds[place] for place in places), start=0.0)
        taken = size(sum(found.sizes[place] for place in places))
        yield f"{kind:<{width}} {len(places):>7} {duration(seconds):>12} {taken:>10}"
    yield f"running: {_counts(found.running)}"
    yield f"failed: {_counts(found.failed)}"
    for place, error in list(found.failed.items())[:_LISTED]:
        yield f"  {place}: {error}"
    yield f"unfinished, left by dead processes: {_amount(found.unfinished)}"
    yield f"damaged or without a manifest: {_amount(found.damaged)}"


def plan(found: Waste) -> Iterator[str]:
    """Lines: what would be deleted."""
    yield f"needed by none of the studies: {_amount(found.unreferenced)}"
    yield f"unfinished, left by dead processes: {_amount(found.unfinished)}"
    yield f"damaged or without a manifest: {_amount(found.damaged)}"


def size(count: int) -> str:
    """Bytes as a person says them: "512 B", "3.4 MB"."""
    if count < 1000:  # noqa: PLR2004
        return f"{count} B"
    amount, unit = count / 1000, "kB"
    for larger in ("MB", "GB", "TB"):
        if amount >= 1000:  # noqa: PLR2004
            amount, unit = amount / 1000, larger
    return f"{amount:.{0 if amount >= 100 else 1}f} {unit}"  # noqa: PLR2004


def _amount(places: Mapping[str, int]) -> str:
    return f"{len(places)}, {size(sum(places.values()))}" if places else "0"


def _counts(places: Collection[str]) -> str:
    kinds = Counter(place.split("/")[0] for place in places)
    listed = ", ".join(f"{kind} {count}" for kind, count in sorted(kinds.items()))
    return f"{len(places)} ({listed})" if places else "0"
