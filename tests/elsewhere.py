"""A device that is not the CPU, on any machine: tensors that say they are there, with their numbers beside.

It refuses what a GPU refuses: a CPU tensor that meets one of the device (a single number may), an index from
there into a CPU tensor, a generator of the CPU, the view as a NumPy array. It computes what the CPU does.
"""

import torch
from torch import Tensor
from torch.__future__ import (
    get_overwrite_module_params_on_conversion,
    set_overwrite_module_params_on_conversion,
)
from torch.overrides import TorchFunctionMode
from torch.utils._python_dispatch import TorchDispatchMode
from torch.utils._pytree import tree_leaves, tree_map

DEVICE = torch.device("meta")
"""The only one beside the CPU that every build of torch has; it takes no part in the computing."""
CPU = torch.device("cpu")
aten = torch.ops.aten
INDEXING = (aten.index.Tensor, aten.index_put.default, aten.index_put_.default)


class There(Tensor):
    """A tensor of the device; `numbers` is the same on the CPU."""

    __torch_function__ = torch._C._disabled_torch_function_impl

    @staticmethod
    def __new__(cls, numbers):
        return Tensor._make_wrapper_subclass(
            cls,
            numbers.shape,
            strides=numbers.stride(),
            storage_offset=numbers.storage_offset(),
            dtype=numbers.dtype,
            device=DEVICE,
        )

    def __init__(self, numbers):
        self.numbers = numbers

    def tolist(self):
        return self.numbers.tolist()

    @classmethod
    def __torch_dispatch__(cls, func, types, args=(), kwargs=None):
        return _called(func, args, kwargs or {})


class Present(TorchDispatchMode):
    """While it is entered, what is asked for on the device is made there."""

    def __torch_dispatch__(self, func, types, args=(), kwargs=None):
        return _called(func, args, kwargs or {})

    def __enter__(self):
        self._made, self._before = _Made(), get_overwrite_module_params_on_conversion()
        set_overwrite_module_params_on_conversion(True)  # or a converted weight keeps the numbers it had
        self._made.__enter__()
        return super().__enter__()

    def __exit__(self, *error):
        super().__exit__(*error)
        self._made.__exit__(*error)
        set_overwrite_module_params_on_conversion(self._before)


class _Made(TorchFunctionMode):
    """`torch.tensor` forgets its numbers where the device is asked for at once."""

    def __torch_function__(self, func, types, args=(), kwargs=None):
        kwargs = dict(kwargs or {})
        if func is torch.tensor and kwargs.get("device") is not None:
            return func(*args, **{**kwargs, "device": CPU}).to(kwargs["device"])
        return func(*args, **kwargs)


def _called(func, args, kwargs):
    """Computes on the CPU, and says where the result is."""
    leaves = tree_leaves((args, kwargs))
    there = [leaf for leaf in leaves if isinstance(leaf, There)]
    place = torch.device(kwargs.get("device") or (DEVICE if there else CPU))
    _refuse(func, args, kwargs, place)
    given = {**kwargs, "device": CPU} if kwargs.get("device") else kwargs
    result = func(*tree_map(_numbers, args), **tree_map(_numbers, given))
    if func._schema.is_mutable and isinstance(args[0], Tensor):
        return args[0]
    return tree_map(_moved, result) if place == DEVICE else result


def _refuse(func, args, kwargs, place):
    tensors = [leaf for leaf in tree_leaves((args, kwargs)) if isinstance(leaf, Tensor)]
    if func in INDEXING and isinstance(args[0], There):
        tensors = [args[0], *args[2:3]]  # an index may be on the CPU
    copies = func in (aten._to_copy.default, aten.copy_.default)
    here = [tensor for tensor in tensors if not isinstance(tensor, There) and tensor.dim()]
    if here and any(isinstance(tensor, There) for tensor in tensors) and not copies:
        raise RuntimeError(f"{func}: tensors on two devices")
    if kwargs.get("generator") is not None and place == DEVICE:
        raise RuntimeError(f"{func}: the generator is the CPU's")


def _numbers(value):
    return value.numbers if isinstance(value, There) else value


def _moved(value):
    return There(value) if isinstance(value, Tensor) else value
