from latentlab.models.families import model_classes
from latentlab.records.declarations import Family, FigureDeclaration, figure_declarations, model_families
from latentlab.records.metrics import METRICS_FILES
from latentlab.records.runs import FILE_REQUIREMENTS, REQUIREMENT_SETTINGS
from latentlab.records.settings import Settings


def test_families_are_the_classes_that_derive_from_the_base_class():
    assert model_families() == {
        name: Family(
            name=name,
            has_encoder=cls.has_encoder,
            generative=cls.generative,
            denoising=cls.denoising,
            side_multiple=cls.side_multiple,
            own_settings=cls.own_settings,
        )
        for name, cls in model_classes().items()
    }
    assert set(model_families()) >= {"autoencoder", "vae", "convolutional", "exact"}


def test_a_figure_is_declared_by_its_decorator_and_its_docstring():
    embeddings = figure_declarations()["embeddings"]
    assert embeddings == FigureDeclaration(
        name="embeddings",
        summary=embeddings.summary,
        inputs=("codes.npz",),
        options={"split": "embedding_split", "points": "embedding_points"},
        requires=("plane",),
        several=True,
    )
    assert not figure_declarations()["confusion"].several


def test_figures_name_only_settings_requirements_and_files_that_there_are():
    run_files = {"history.csv", "codes.npz", "projections.npz", "reconstructions.png", "strips.png"}
    run_files |= {"reconstructions_and_samples.png", "worst.png", "principal_directions.npz"}
    known_files = {*METRICS_FILES, *FILE_REQUIREMENTS, *run_files}
    assert len(figure_declarations()) > 20
    for declaration in figure_declarations().values():
        assert declaration.summary.endswith("."), declaration.name
        assert declaration.inputs and set(declaration.inputs) <= known_files, declaration.name
        assert set(declaration.options.values()) <= set(Settings.__struct_fields__), declaration.name
        assert set(declaration.requires) <= set(REQUIREMENT_SETTINGS), declaration.name
