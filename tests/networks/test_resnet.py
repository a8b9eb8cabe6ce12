import torch

from purifold.networks.resnet import Residual, ResNet


def test_parameters_are_those_of_resnet_20_with_projection_shortcuts(count):
    stem = 9 * 3 * 16 + 2 * 16
    same = sum(2 * (9 * width * width + 2 * width) * blocks for width, blocks in ((16, 3), (32, 2), (64, 2)))
    smaller = sum(
        9 * (width // 2) * width + 9 * width * width + width // 2 * width + 3 * 2 * width
        for width in (32, 64)
    )
    assert count(ResNet((3, 32, 32), 10)) == stem + same + smaller + 64 * 10 + 10 == 272_474


def test_a_block_with_a_silent_branch_passes_positive_maps_through():
    block = Residual(4, 4, stride=1).eval()
    torch.nn.init.zeros_(block.branch[-1].weight)
    maps = torch.rand(2, 4, 5, 5)
    assert torch.equal(block(maps), maps)


def test_a_block_adds_its_branch_to_its_shortcut():
    block = Residual(4, 6, stride=2).eval()
    maps = torch.randn(2, 4, 8, 8)
    torch.testing.assert_close(block(maps), (block.branch(maps) + block.shortcut(maps)).clamp(min=0))
    assert block(maps).shape == (2, 6, 4, 4)
