"""Inception V3 by name: through timm where it is, and one line where it is not."""

import sys
from types import SimpleNamespace

import pytest
import torch
from torch import nn

from purifold.errors import InputError
from purifold.networks.inception_v3 import ORIGIN, inception_v3

PHOTOS = (3, 320, 300)


class Seen(nn.Module):
    """Tells what it is shown."""

    def __init__(self, pretrained=False):
        super().__init__()
        self.level = nn.Parameter(torch.tensor(1.0 if pretrained else 0.0))

    def forward(self, images):
        self.images = images
        return self.level + images.flatten(1).mean(dim=1, keepdim=True).expand(-1, 1000)


def test_without_timm_it_says_how_to_get_it(monkeypatch):
    monkeypatch.setitem(sys.modules, "timm", None)
    with pytest.raises(InputError, match="pip install timm"):
        inception_v3.build(PHOTOS, 1000)


def test_timm_s_network_sees_images_of_its_size_and_scale_and_gives_its_weights(monkeypatch):
    asked = []

    def create_model(name, pretrained=False):
        asked.append((name, pretrained))
        return Seen(pretrained)

    monkeypatch.setitem(sys.modules, "timm", SimpleNamespace(create_model=create_model))
    network = inception_v3.build(PHOTOS, 1000)
    network.load_state_dict(inception_v3.read(network, None))
    network(torch.full((2, *PHOTOS), 0.75))
    assert asked == [(ORIGIN, False), (ORIGIN, True)]
    assert network[2].level == 1
    torch.testing.assert_close(network[2].images, torch.full((2, 3, 299, 299), 0.5))


@pytest.mark.parametrize(("shape", "classes"), [((1, 299, 299), 1000), ((3, 299, 299), 10)])
def test_other_classes_or_channels_are_refused(shape, classes):
    with pytest.raises(InputError, match="inception-v3 takes images with 3 channels of 1000 classes"):
        inception_v3.build(shape, classes)
