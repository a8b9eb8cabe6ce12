from purifold.networks.patch_vae_classifiers import PatchVaeCifar, PatchVaeMnist


def test_mnist_parameters_are_those_of_table_1(count, rates):
    network = PatchVaeMnist((1, 28, 28), 10)
    by_hand = (25 * 1 + 1) * 32 + (25 * 32 + 1) * 64 + (7 * 7 * 64 + 1) * 1024 + (1024 + 1) * 10
    assert count(network) == by_hand == 3_274_634
    assert rates(network) == [0.4]


def test_cifar_parameters_are_those_of_table_1(count, rates):
    network = PatchVaeCifar((3, 32, 32), 10)
    weights = 9 * (3 * 32 + 32 * 32 + 32 * 64 + 64 * 64 + 64 * 128 + 128 * 128)
    scale_and_shift = 2 * (32 + 32 + 64 + 64 + 128 + 128)
    assert count(network) == weights + scale_and_shift + (4 * 4 * 128 + 1) * 10
    assert rates(network) == [0.2, 0.3, 0.4]
