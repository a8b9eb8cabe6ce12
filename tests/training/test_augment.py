import torch
import torch.nn.functional as F

from purifold.training.augment import MARGIN, FlipCrop


def draw(count=64):
    return FlipCrop.draw(count, torch.Generator().manual_seed(3), torch.device("cpu"))


def test_images_are_crops_of_the_mirrored_and_padded_ones():
    images = torch.rand(64, 3, 9, 7, generator=torch.Generator().manual_seed(0))
    rows = torch.arange(64).flip(0)
    change = draw()
    changed = change(images, rows)
    for image, row, got in zip(images, rows, changed, strict=True):
        top, left = change.corners[row]
        crop = F.pad(image, (MARGIN,) * 4)[:, top : top + 9, left : left + 7]
        assert torch.equal(got, crop.flip(2) if change.mirrored[row] else crop)


def test_every_shift_and_both_mirrorings_occur_about_equally_often():
    change = draw(9000)
    for axis in range(2):
        counts = change.corners[:, axis].bincount(minlength=9)
        assert len(counts) == 9
        assert counts.min() > 850
        assert counts.max() < 1150
    assert 0.47 < change.mirrored.float().mean() < 0.53


def test_an_image_is_changed_alike_in_any_batch():
    images = torch.rand(8, 1, 6, 6, generator=torch.Generator().manual_seed(0))
    change = draw(8)
    together = change(images, torch.arange(8))
    alone = [change(images[row : row + 1], torch.tensor([row])) for row in range(8)]
    assert torch.equal(together, torch.cat(alone))
