"""Samples of a trained model lie between real images and the samples of an untrained one."""

from dataclasses import replace

from purifold.engine.steps.frechet import Frechet, read_frechet


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
