"""TF32 is allowed or forbidden for a while, and only for that."""

import pytest
import torch

from purifold.tf32 import tf32


def state():
    return torch.get_float32_matmul_precision(), torch.backends.cudnn.allow_tf32


def fails(met):
    met.append(state())
    raise KeyError


@pytest.mark.parametrize(("allowed", "during"), [(True, ("high", True)), (False, ("highest", False))])
@pytest.mark.parametrize("before", [True, False])
def test_it_holds_meanwhile_and_what_was_set_is_put_back_also_after_an_error(allowed, during, before):
    untouched = state()
    with tf32(before):
        set_before = state()
        met = []
        with pytest.raises(KeyError), tf32(allowed):
            fails(met)
        assert met == [during]
        assert state() == set_before
    assert state() == untouched
