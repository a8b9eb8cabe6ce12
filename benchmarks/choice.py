"""What a search for a weight leaves: one JSON file."""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from benchmarks.timing import made

from purifold.evaluation.intervals import Proportion

Tried = Mapping[float, Mapping[str, Proportion]]
"""By weight, images kept: without an attack as "clean", attacked by the budget."""


def write_choice(out: Path, chosen: float, tried: Tried, *, seed: int, **about: object) -> None:
    """Writes which weight was chosen, what each of them keeps, and how that was found; says where."""
    found = {
        "chosen": chosen,
        "tried": {
            f"{weight:g}": {budget: _share(kept) for budget, kept in shares.items()}
            for weight, shares in tried.items()
        },
        **about,
        "seed": seed,
        **made(),
    }
    out.parent.mkdir(parents=True, exist_ok=True)
    out.write_text(json.dumps(found, indent=1) + "\n")
    print(f"chosen: {chosen:g}; wrote {out}")


def _share(kept: Proportion) -> dict[str, Any]:
    low, high = kept.interval()
    return {"kept": str(kept), "low": low, "high": high}
