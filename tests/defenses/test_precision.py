"""A network is searched in the precision asked for, where the machine has it."""

import pytest
import torch
from torch import nn

from purifold.defenses.precision import in_precision
from purifold.errors import InputError


@pytest.mark.parametrize("has", [True, False])
def test_bfloat16_is_a_copy_where_there_is_bfloat16(monkeypatch, has):
    monkeypatch.setattr("purifold.defenses.precision.has_bfloat16", lambda device: has)
    network = nn.Linear(2, 2)
    found = in_precision(network, "bfloat16")
    assert found.weight.dtype == (torch.bfloat16 if has else torch.float32)
    assert (found is network) == (not has)
    assert in_precision(network, "float32") is network
    assert network.weight.dtype == torch.float32


def test_another_precision_is_refused():
    with pytest.raises(InputError, match="did you mean 'bfloat16'"):
        in_precision(nn.Linear(2, 2), "bfloat61")
