"""The two ways a call ends badly, and the wording that both share.

The command line turns `InputError` into exit status 2 and everything else into 1.
"""

import difflib
from collections.abc import Iterable


class InputError(ValueError):
    """What the caller passed cannot be used; the message says what was wanted, what came and what to do."""


class Failure(RuntimeError):
    """Something broke that the caller did not cause: a damaged file, a full disk, a diverging training."""


def unknown(kind: str, name: str, valid: Iterable[str]) -> InputError:
    """Error for a name that does not exist, with the nearest valid one first."""
    names = sorted(valid)
    near = difflib.get_close_matches(name, names, n=1, cutoff=0.5)
    hint = f"did you mean {near[0]!r}? " if near else ""
    return InputError(f"unknown {kind} {name!r}; {hint}there are: {', '.join(names) or 'none'}")
