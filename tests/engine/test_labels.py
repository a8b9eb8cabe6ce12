"""What progress lines call the steps of a study: no two of different work alike."""


def test_steps_on_two_classifiers_do_not_look_alike(composed, tiny):
    def labels(network):
        found = composed(tiny(), defenses=("none", "blur"), attacks=("fgsm",), classifier=network)
        return {step.label for experiment in found for step in experiment.steps()}

    assert len(labels("mlp")) > 4
    assert not labels("mlp") & labels("small-cnn")
