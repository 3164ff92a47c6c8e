from typing import get_args

import msgspec
from builders import MNIST

from latentlab.records.declarations import figure_declarations
from latentlab.records.runs import FILE_REQUIREMENTS, REQUIREMENT_SETTINGS, ModelSpec, Requirement, Run
from latentlab.records.settings import ModelSettings

WIDE = msgspec.structs.replace(MNIST, image_shape=(12, 20), classes=("a", "b", "c"))


def test_the_files_of_a_run_lie_in_a_folder_of_its_wildcards():
    run = Run(dataset="MNIST", model="deep-vae", latent_dim=2, seed=0)
    assert run.file("metrics.json") == "results/models/MNIST/deep-vae/d2/seed0/metrics.json"


def test_a_spec_has_the_shape_and_the_classes_of_its_data_set():
    settings = ModelSettings(family="vae", latent_dim=5, seed=7)
    spec = ModelSpec.of(settings, WIDE)
    assert (spec.image_shape, spec.n_classes, spec.n_pixels) == ((12, 20), 3, 240)
    assert (spec.latent_dim, spec.seed) == (5, 7)
    swept = ModelSpec.of(settings, WIDE, latent_dim=2, seed=0)
    assert (swept.latent_dim, swept.seed) == (2, 0) and swept.settings == settings


def test_every_requirement_can_be_met_by_a_setting():
    of_figures = {need for declaration in figure_declarations().values() for need in declaration.requires}
    of_files = {need for needs in FILE_REQUIREMENTS.values() for need in needs}
    assert of_files | of_figures == set(REQUIREMENT_SETTINGS) == set(get_args(Requirement))
