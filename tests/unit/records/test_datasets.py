import pytest

from latentlab.records.datasets import DATASETS, get_dataset
from latentlab.runtime.errors import UserError


@pytest.mark.parametrize("name", DATASETS)
def test_a_declaration_is_complete(name):
    dataset = get_dataset(name)
    assert dataset.name == name
    assert dataset.n_classes == len(set(dataset.classes)) > 1
    assert dataset.n_pixels == dataset.size[0] * dataset.size[1] and dataset.n_channels == 1
    assert len(dataset.sha256) == 4 and all(len(checksum) == 64 for checksum in dataset.sha256.values())


@pytest.mark.parametrize("name", DATASETS)
def test_the_ood_partner_is_another_data_set_with_images_of_the_same_shape(name):
    partner = get_dataset(DATASETS[name].ood_partner)
    assert partner.name != name and partner.image_shape == DATASETS[name].image_shape


def test_an_unknown_data_set_is_named_with_those_that_there_are():
    with pytest.raises(UserError, match="dataset: 'CIFAR' is not one of MNIST, FashionMNIST, KMNIST"):
        get_dataset("CIFAR")
