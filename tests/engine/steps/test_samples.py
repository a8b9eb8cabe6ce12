"""Samples of a class are decoded from its Gaussian."""

import torch

from purifold.engine.steps.samples import Samples, read_samples


def test_a_block_a_class_near_what_its_mean_decodes_to(tiny, composed, finished):
    (experiment,) = composed(
        tiny(encoded=5_500, epochs=5),
        classifier="gm-vae",
        defenses=("none",),
        attacks=("fgsm",),
        epsilons=(0.3,),
    )
    training = experiment.system.classifier
    step = Samples(autoencoder=training, classes=3, each=4, seed=0)
    store, bench = finished(step, training)
    found = read_samples(store.fetch(step))
    assert found.shape == (3, 4, 8, 8, 1)
    model = training.load(bench)
    decoded = model.decode(model.means[:3])
    for images, wanted in zip(found, decoded, strict=True):
        shown = torch.from_numpy(images).permute(0, 3, 1, 2) / 255
        assert (shown - wanted).abs().mean() < 0.05
    assert not (found[0] == found[1]).all()
