from purifold.networks.small_cnn import SmallCnn


def test_parameters_are_those_of_two_convolutions_and_two_dense_layers(count):
    by_hand = (9 * 1 + 1) * 32 + (9 * 32 + 1) * 64 + (4 * 4 * 64 + 1) * 64 + (64 + 1) * 10
    assert count(SmallCnn((1, 8, 8), 10)) == by_hand
