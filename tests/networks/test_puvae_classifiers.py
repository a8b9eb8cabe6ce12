from purifold.networks.puvae_classifiers import PuvaeA, PuvaeB, PuvaeC


def test_a_has_the_parameters_of_defense_gans_a(count, rates):
    network = PuvaeA((1, 28, 28), 10)
    by_hand = (25 * 1 + 1) * 64 + (25 * 64 + 1) * 64 + (12 * 12 * 64 + 1) * 128 + (128 + 1) * 10
    assert count(network) == by_hand
    assert rates(network) == [0.25, 0.5]


def test_b_has_the_parameters_of_defense_gans_b(count, rates):
    network = PuvaeB((1, 28, 28), 10)
    by_hand = (64 * 1 + 1) * 64 + (36 * 64 + 1) * 128 + (25 * 128 + 1) * 128 + (128 + 1) * 10
    assert count(network) == by_hand
    assert rates(network) == [0.2, 0.5]


def test_c_has_the_parameters_of_six_convolutions_and_two_dense_layers(count, rates):
    network = PuvaeC((3, 32, 32), 10)
    widths = [(3, 32), (32, 32), (32, 64), (64, 64), (64, 128), (128, 128)]
    by_hand = (
        sum((9 * before + 1) * after for before, after in widths) + (4 * 4 * 128 + 1) * 256 + (256 + 1) * 10
    )
    assert count(network) == by_hand
    assert rates(network) == [0.25, 0.25, 0.25, 0.5]
