import pytest
import torch


@pytest.fixture(autouse=True)
def _seed():
    torch.manual_seed(0)


@pytest.fixture
def count():
    """Parameters of a module."""
    return lambda module: sum(parameter.numel() for parameter in module.parameters())


@pytest.fixture
def rates():
    """Dropout rates of a module, in order."""
    return lambda module: [layer.p for layer in module.modules() if isinstance(layer, torch.nn.Dropout)]
