import pytest
import torch
from torch import nn

from purifold.checks import check_at_least, check_evaluating, check_images, check_labels
from purifold.errors import InputError

GOOD = torch.tensor([[0.0, 1.0], [0.25, 0.5]]).expand(2, 3, 2, 2)


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
def test_images_of_the_whole_pixel_range_pass(dtype):
    check_images(GOOD.to(dtype))
    check_images(GOOD.to(dtype), channels=3)
    check_images(torch.empty(0, 1, 2, 2))


@pytest.mark.parametrize(
    ("images", "message"),
    [
        (GOOD * 255, r"photos must lie in \[0, 1\], got \[0, 255\]; is the scale 0..255\?"),
        (GOOD * 2 - 1, r"photos must lie in \[0, 1\], got \[-1, 1\]; normalise inside the classifier"),
        (GOOD + 1e-3, r"photos must lie in \[0, 1\], got \[0.001, 1.001\]"),
        (GOOD.masked_fill(GOOD == 1, torch.nan), "photos must not hold NaN; the model or the loader"),
        (GOOD.masked_fill(GOOD == 1, torch.inf), r"photos must lie in \[0, 1\], got \[0, inf\]"),
        (GOOD[0], r"photos must be \(batch, channel, height, width\), got shape \(3, 2, 2\)"),
        (GOOD.byte(), "photos must be floats in .*, got torch.uint8; divide bytes by 255 first"),
    ],
)
def test_images_that_are_none_are_refused_with_the_likely_cause(images, message):
    with pytest.raises(InputError, match=message) as caught:
        check_images(images, "photos")
    assert "\n" not in str(caught.value)


def test_images_of_other_channels_are_refused():
    with pytest.raises(InputError, match=r"images must have 1 channel\(s\), got 3"):
        check_images(GOOD, channels=1)


def test_labels_of_the_classes_pass():
    check_labels(torch.tensor([0, 9, 3]), 3, classes=10)
    check_labels(torch.tensor([0, 99], dtype=torch.int32), 2)
    check_labels(torch.empty(0, dtype=torch.long), 0, classes=10)


@pytest.mark.parametrize(
    ("labels", "message"),
    [
        (torch.tensor([0, 10]), r"marks must lie in \[0, 10\), got \[0, 10\]; labels count from 0"),
        (torch.tensor([-1, 3]), r"marks must lie in \[0, 10\), got \[-1, 3\]"),
        (torch.tensor([1]), r"marks must have shape \(2,\), one an image, got \(1,\)"),
        (torch.tensor([[1], [2]]), r"marks must have shape \(2,\)"),
        (torch.tensor([1.0, 2.0]), "marks must be a tensor of integers, got torch.float32"),
        (torch.tensor([True, False]), "marks must be a tensor of integers, got torch.bool"),
    ],
)
def test_labels_that_are_none_are_refused(labels, message):
    with pytest.raises(InputError, match=message):
        check_labels(labels, 2, classes=10, name="marks")


def test_labels_without_a_class_count_must_still_be_0_or_above():
    with pytest.raises(InputError, match="labels must lie in 0 or above"):
        check_labels(torch.tensor([-1, 3]), 2)


def test_a_part_in_training_mode_is_found_however_deep():
    model = nn.Sequential(nn.Flatten(), nn.Sequential(nn.Linear(2, 2), nn.Dropout()))
    with pytest.raises(InputError, match=r"net is in training mode; call net.eval\(\) first"):
        check_evaluating(model, "net")
    check_evaluating(model.eval(), "net")
    model[1][1].train()
    with pytest.raises(InputError, match="net is in training mode"):
        check_evaluating(model, "net")


@pytest.mark.parametrize("value", [0, -1, 0.999, float("nan")])
def test_a_number_below_its_least_is_refused(value):
    check_at_least(1, 1, "steps")
    check_at_least(1.5, 1, "steps")
    with pytest.raises(InputError, match="steps must be 1 or above, got"):
        check_at_least(value, 1, "steps")
