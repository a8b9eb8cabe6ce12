"""The game of a generator and its critic: each term against its formula, and whose turn it is."""

import pytest
import torch

from purifold.autoencoders.generative import GeneratorSpec
from purifold.errors import InputError
from purifold.randomness import seeded

SHAPE = (1, 8, 8)


@pytest.fixture
def model():
    with seeded(0):
        return GeneratorSpec(latent_size=3, width=4).build(SHAPE).double()


def photos(count, seed):
    return torch.rand(count, *SHAPE, generator=torch.Generator().manual_seed(seed), dtype=torch.float64)


def test_the_critics_loss_is_a_difference_and_the_penalty_on_its_slope_in_between(model):
    real, fake = photos(4, 1), photos(4, 2)
    with seeded(3):
        loss = model.critic_loss(real, fake)
    with seeded(3):
        share = torch.rand(4, 1, 1, 1, dtype=torch.float64)
    between = (real + share * (fake - real)).requires_grad_()
    for row in range(4):  # one image at a time: no image's slope depends on its batch
        (slope,) = torch.autograd.grad(model.critic(between[row : row + 1]).sum(), between)
        steepness = slope[row].square().sum().sqrt()
        difference = model.critic(fake[row : row + 1]) - model.critic(real[row : row + 1])
        torch.testing.assert_close(loss[row], (difference + 10 * (steepness - 1) ** 2)[0])


def test_the_penalty_reaches_the_critics_weights(model):
    """d/dw of (|w| - 1)^2 for a critic that is linear in the image is 2 (|w| - 1) w / |w|."""

    class Linear(torch.nn.Module):
        def __init__(self):
            super().__init__()
            self.weight = torch.nn.Parameter(torch.full((64,), 0.5, dtype=torch.float64))

        def forward(self, images):
            return images.flatten(1) @ self.weight

    critic = model.critic = Linear()
    same = photos(4, 1)
    model.critic_loss(same, same).mean().backward()
    length = critic.weight.detach().norm()
    wanted = 10 * 2 * (length - 1) * critic.weight.detach() / length
    torch.testing.assert_close(critic.weight.grad, wanted)


def gradients(model):
    model.zero_grad()
    model.loss(photos(4, 1)).mean().backward()
    return (
        [weight.grad is not None for weight in model.generator.parameters()],
        [weight.grad is not None for weight in model.critic.parameters()],
    )


def test_the_generator_moves_at_every_fifth_update_and_the_critic_at_each(model):
    model.train()
    turns = [gradients(model) for _ in range(10)]
    assert [all(generator) for generator, _ in turns] == [False, False, False, False, True] * 2
    assert [any(generator) for generator, _ in turns] == [False, False, False, False, True] * 2
    assert all(all(critic) for _, critic in turns)


def test_the_generators_loss_leaves_the_critics_weights_alone(model):
    made = model(torch.zeros(2, 3, dtype=torch.float64))
    loss = model.generator_loss(made)
    torch.testing.assert_close(loss, -model.critic(made))
    loss.sum().backward()
    assert all(weight.grad is None for weight in model.critic.parameters())
    assert all(weight.grad is not None for weight in model.generator.parameters())


def test_a_resumed_training_keeps_the_turns(model):
    model.train()
    for _ in range(3):
        model.loss(photos(2, 1))
    with seeded(1):
        again = GeneratorSpec(latent_size=3, width=4).build(SHAPE).double()
    again.load_state_dict(model.state_dict())
    again.train()
    assert [all(gradients(again)[0]) for _ in range(2)] == [False, True]


def test_validation_takes_no_turn(model):
    model.eval()
    for _ in range(7):
        model.loss(photos(2, 1))
    assert int(model.updates) == 0


@pytest.mark.parametrize("shape", [(1, 28, 28), (3, 32, 32), (1, 5, 9)])
def test_any_image_size_is_generated(shape):
    model = GeneratorSpec(latent_size=3, width=2).build(shape)
    images = model(torch.randn(2, 3))
    assert images.shape == (2, *shape)
    assert 0 <= images.min() <= images.max() <= 1
    assert model.critic(images).shape == (2,)


def test_a_game_on_one_point_is_won(model):
    """The generator learns a data set of one image: its mean error falls to a tenth."""
    torch.manual_seed(0)
    image = photos(1, 7).expand(32, -1, -1, -1)
    latent = torch.randn(64, 3, dtype=torch.float64)

    def error():
        with torch.no_grad():
            return (model(latent) - image[:1]).square().mean().item()

    optimizer, before = torch.optim.Adam(model.parameters(), lr=2e-3, betas=(0.5, 0.999)), error()
    model.train()
    for _ in range(1000):
        optimizer.zero_grad()
        model.loss(image).mean().backward()
        optimizer.step()
    assert error() < 0.1 * before


@pytest.mark.parametrize("wrong", [{"latent_size": 0}, {"width": 0}, {"penalty": -1.0}])
def test_what_cannot_be_built_is_refused(wrong):
    with pytest.raises(InputError, match=next(iter(wrong))):
        GeneratorSpec(**wrong)


@pytest.mark.parametrize("updates", [0, 4])  # at the fifth the generator moves, too
def test_in_bfloat16_the_loss_is_the_same_to_its_precision(model, updates):
    model = model.float().train()
    losses = []
    for low in (False, True):
        model.updates.fill_(updates)
        with seeded(3), torch.autocast("cpu", torch.bfloat16, enabled=low):
            losses.append(model.loss(photos(4, 1).float()))
    assert losses[1].dtype == torch.float32
    torch.testing.assert_close(losses[1], losses[0], rtol=0.02, atol=0.02)
