import math

import numpy as np
import pytest
import torch

from purifold.attacks.square import Square, _pattern, _shifted
from purifold.errors import InputError
from purifold.threat import ThreatModel


def images(count=8, channels=2, side=7):
    generator = torch.Generator().manual_seed(9)
    shape = count, channels, side, side
    return 0.3 + 0.4 * torch.rand(shape, generator=generator, dtype=torch.float64)


class NoSlope(torch.autograd.Function):
    """Half the sum of the pixels, whose derivative must never be asked for."""

    @staticmethod
    def forward(ctx, images):
        return images.flatten(1).sum(dim=1) / 2

    @staticmethod
    def backward(ctx, gradient):
        raise AssertionError("the attack asked for a gradient")


def watched(seen):
    """Two classes, of which the second, with the larger pixel sum, is out of reach."""

    def model(batch):
        score = NoSlope.apply(batch) - 1e3
        seen.append(batch.clone())
        return torch.stack([-score, score], dim=1)

    return model


@pytest.mark.parametrize("norm", ["linf", "l2"])
def test_only_queries_and_never_more_than_allowed(norm):
    seen = []
    labels = torch.zeros(8, dtype=torch.long)
    Square(queries=25)(watched(seen), images(), labels, ThreatModel(norm, 0.1))
    assert [len(batch) for batch in seen] == [8] * 25
    assert not any(batch.requires_grad for batch in seen)


@pytest.mark.parametrize("norm", ["linf", "l2"])
def test_returns_the_best_image_that_it_asked_about(norm):
    seen = []
    labels = torch.zeros(8, dtype=torch.long)
    found = Square(queries=60)(watched(seen), images(), labels, ThreatModel(norm, 0.1))
    asked = torch.stack([batch.flatten(1).sum(dim=1) for batch in seen])
    torch.testing.assert_close(found.flatten(1).sum(dim=1), asked.amax(dim=0))
    assert (asked.amax(dim=0) > asked[1]).all(), "the search never improved on its start"


def test_finished_images_are_asked_about_no_more(two_class):
    problem, sizes = two_class("linf"), []

    def model(batch):
        sizes.append(len(batch))
        return problem.model(batch)

    threat = ThreatModel("linf", 1.3 * problem.distance)
    found = Square(queries=2000)(model, problem.images, problem.labels, threat)
    assert (problem.model(found).argmax(dim=1) == 1).all()
    assert sizes == sorted(sizes, reverse=True)
    assert len(sizes) < 2000
    sizes.clear()
    Square(queries=50)(model, problem.images, problem.labels + 1, threat)
    assert sizes == [6], "already wrong: one question, and the clean image comes back"


def test_goes_on_to_the_confidence_that_is_wanted(two_class):
    problem = two_class("linf")
    threat = ThreatModel("linf", 2 * problem.distance)
    found = Square(queries=500, confidence=1.0)(problem.model, problem.images, problem.labels, threat)
    assert (problem.model(found).diff(dim=1) > 1).all()


def test_linf_starts_with_stripes_and_moves_in_one_square_of_one_sign_a_channel():
    seen = []
    labels = torch.zeros(8, dtype=torch.long)
    Square(queries=80)(watched(seen), images(), labels, ThreatModel("linf", 0.1))
    model = watched([])
    stripes = (seen[1] - images()) / 0.1
    torch.testing.assert_close(stripes.abs(), torch.ones_like(stripes))
    torch.testing.assert_close(stripes, stripes[:, :, :1].expand_as(stripes))
    best = seen[1]
    for candidate in seen[2:]:
        changed = (candidate - best).abs() > 1e-9
        for one, plane in zip(candidate - images(), changed, strict=True):
            rows, columns = (plane.any(dim=0).any(dim=axis).nonzero() for axis in (1, 0))
            if len(rows):
                sides = [int(line.max() - line.min()) + 1 for line in (rows, columns)]
                assert max(sides) <= 6
            assert torch.allclose(one.abs(), torch.full_like(one, 0.1))
        better = model(candidate).diff(dim=1).squeeze(1) > model(best).diff(dim=1).squeeze(1)
        best = torch.where(better[:, None, None, None], candidate, best)


def test_l2_starts_and_stays_on_the_sphere():
    seen = []
    labels = torch.zeros(8, dtype=torch.long)
    Square(queries=80)(watched(seen), images(), labels, ThreatModel("l2", 0.5))
    for candidate in seen[1:]:
        lengths = (candidate - images()).flatten(1).norm(dim=1)
        assert (lengths <= 0.5 + 1e-9).all()
    torch.testing.assert_close(
        (seen[1] - images()).flatten(1).norm(dim=1), torch.full((8,), 0.5, dtype=torch.float64)
    )


def test_squares_shrink_by_the_schedule_of_the_authors_code():
    picture = torch.zeros(1, 1, 100, 100)
    attack = Square(queries=10_000, first_share=0.64)
    sides = {query: attack._side(query, picture) for query in (1, 10, 11, 50, 51, 200, 201, 501, 1001, 8001)}
    assert sides == {1: 80, 10: 80, 11: 57, 50: 57, 51: 40, 200: 40, 201: 28, 501: 20, 1001: 14, 8001: 4}
    assert Square(queries=1000, first_share=0.64)._side(2, picture) == 57
    assert Square(first_share=1.0)._side(1, torch.zeros(1, 1, 5, 9)) == 5


def formula(height, width):
    """Equation 2 of the paper, place by place."""
    n, bump = height // 2, np.zeros((height, width))
    for r in range(1, height + 1):
        for s in range(1, width + 1):
            m = n - max(abs(r - n - 1), abs(s - width // 2 - 1))
            bump[r - 1, s - 1] = sum(1 / (n + 1 - k) ** 2 for k in range(m + 1))
    return bump


@pytest.mark.parametrize("side", [1, 2, 3, 5, 8])
def test_l2_pattern_is_the_papers_double_bump(side):
    expected = np.concatenate([formula(side // 2, side), -formula(side - side // 2, side)])
    np.testing.assert_allclose(_pattern(side, images()).numpy(), expected)


def test_l2_move_follows_algorithm_3():
    generator = np.random.default_rng(0)
    nu, length = generator.normal(size=(2, 5, 5)), 8.0
    pattern = generator.normal(size=(2, 3, 3))
    expected, window, other = nu.copy(), np.zeros((5, 5), bool), np.zeros((5, 5), bool)
    window[0:3, 1:4], other[2:5, 2:5] = True, True
    unused = length**2 - (nu**2).sum()
    for i in range(2):
        temporary = pattern[i] / np.linalg.norm(pattern[i])
        temporary = temporary + nu[i, 0:3, 1:4] / np.linalg.norm(nu[i, 0:3, 1:4])
        available = math.sqrt((nu[i][window | other] ** 2).sum() + unused / 2)
        expected[i, 2:5, 2:5] = 0
        expected[i, 0:3, 1:4] = temporary / np.linalg.norm(temporary) * available
    placed = np.zeros((1, 2, 5, 5))
    placed[0, :, 0:3, 1:4] = pattern
    masks = (torch.from_numpy(mask)[None, None] for mask in (window, other))
    moved = _shifted(torch.from_numpy(nu)[None], torch.from_numpy(placed), *masks, length)
    np.testing.assert_allclose(moved[0].numpy(), expected)


def test_seed_decides_the_search(two_class):
    problem = two_class("linf")
    attack = Square(queries=5, confidence=math.inf)
    threat = ThreatModel("linf", problem.distance)
    runs = [attack(problem.model, problem.images, problem.labels, threat, seed=seed) for seed in (0, 0, 1)]
    assert torch.equal(runs[0], runs[1])
    assert not torch.equal(runs[0], runs[2])


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"queries": 1}, "queries must be 2 or above, got 1"),
        ({"confidence": -1.0}, "confidence must be 0 or above"),
        ({"first_share": 0.0}, r"first_share must be a share of the pixels in \(0, 1\]"),
        ({"first_share": 1.5}, "first_share must be a share"),
    ],
)
def test_refuses_a_configuration_that_cannot_run(arguments, message):
    with pytest.raises(InputError, match=message):
        Square(**arguments)
