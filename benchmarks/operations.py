"""Floating-point operations of matrix products and convolutions, as they are run."""

from collections.abc import Callable
from typing import Any

from torch.utils._python_dispatch import TorchDispatchMode
from torch.utils.flop_counter import flop_registry


def operations(call: Callable[[], object]) -> int:
    """How many one call takes, backward passes included."""
    with _Counter() as counter:
        call()
    return counter.total


class _Counter(TorchDispatchMode):
    """Counts what runs under it.

    `FlopCounterMode` keeps the account of each module besides, and refuses gradients of a module's input.
    """

    def __init__(self) -> None:
        super().__init__()
        self.total = 0

    def __torch_dispatch__(self, function: Any, types: Any, inputs: Any = (), options: Any = None) -> Any:
        """The function's own result."""
        found = function(*inputs, **(options or {}))
        formula = flop_registry.get(function.overloadpacket)
        if formula is not None:
            self.total += formula(*inputs, **(options or {}), out_val=found)
        return found
