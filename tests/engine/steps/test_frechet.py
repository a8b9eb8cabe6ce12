"""Samples of a trained model lie between real images and the samples of an untrained one."""

from dataclasses import replace

import torch

from purifold.engine.steps.frechet import Frechet, _drawn_like, read_frechet
from purifold.randomness import seeded


def test_training_brings_samples_nearer(tiny, composed, finished):
    settings = {"defenses": ("none",), "attacks": ("fgsm",), "epsilons": (0.3,)}
    scale = tiny(seen=11_000, encoded=11_000, epochs=10)
    (mixture,) = composed(scale, classifier="gm-vae", **settings)
    (plain,) = composed(scale, classifier="small-cnn", **settings)
    long, reader = mixture.system.classifier, plain.system.classifier
    brief = replace(long, config=replace(long.config, epochs=1, learning_rate=1e-6))
    steps = [Frechet(autoencoder=training, reader=reader, seed=0) for training in (long, brief)]
    store, _ = finished(*steps, long, brief, reader)
    trained, untrained = (read_frechet(store.fetch(step)) for step in steps)
    assert trained.images == 248
    assert trained.real == untrained.real
    assert 0 < trained.real < trained.samples < 0.7 * untrained.samples
    assert 0 < trained.fitted < 0.7 * untrained.fitted


def test_draws_have_mean_and_covariance_of_their_class():
    generator = torch.Generator().manual_seed(0)
    mixing = torch.tensor([[[1.0, 0.0], [2.0, 0.5]], [[0.3, 0.0], [-0.6, 3.0]]])
    classes = torch.arange(2).repeat(4_000)
    codes = torch.einsum("nij,nj->ni", mixing[classes], torch.randn(8_000, 2, generator=generator))
    codes = codes + 5 * classes[:, None]
    with seeded(1):
        found = _drawn_like(codes, classes, torch.tensor([1, 0, 1]).repeat(10_000))
    for label, rows in ((1, [0, 2]), (0, [1])):
        own, drawn = codes[classes == label], found.reshape(10_000, 3, 2)[:, rows].flatten(end_dim=1)
        torch.testing.assert_close(drawn.mean(dim=0), own.mean(dim=0), rtol=0, atol=0.1)
        torch.testing.assert_close(drawn.T.cov(), own.T.cov(), rtol=0.05, atol=0.1)
