"""In what precision a purifier searches, where it searches."""

from typing import Literal, TypeAlias, get_args

from purifold.errors import unknown

Precision: TypeAlias = Literal["float32", "bfloat16"]


def check_precision(precision: str) -> None:
    """Refuses any other."""
    if precision not in get_args(Precision):
        raise unknown("precision", precision, get_args(Precision))
