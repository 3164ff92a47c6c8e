"""The archive that is handed in with a notebook.

It is a folder with the weights and metrics of an assignment, all that its figures need, and this library. A notebook
opens it with `Archive()` and needs nothing else but the data.
"""

import re
import shutil
from collections.abc import Mapping
from importlib.metadata import requires, version
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING

import msgspec

import latentlab
from latentlab.data.fetch import fetch_dataset, is_fetched, local_data_folder
from latentlab.data.splits import load_split
from latentlab.records.archive import ArchiveContents, archive_path
from latentlab.records.base import Record
from latentlab.records.datasets import get_dataset
from latentlab.records.declarations import figure_declarations
from latentlab.records.metrics import METRICS_FILES
from latentlab.runtime.files import write_text, write_zip

if TYPE_CHECKING:
    from IPython.display import Image
    from torch import Tensor

    from latentlab.models.networks import Autoencoder

CONTENTS, STYLE = "contents.json", "matplotlibrc"
NOT_ARCHIVED = {"resources", "__pycache__"}
PIXELS_PER_MM = 120 / 25.4  # of a figure in a notebook


class Archive:
    """An unpacked archive."""

    def __init__(self, folder: str | Path = ".") -> None:
        self.folder = Path(folder)
        self.contents = ArchiveContents.read(self.folder / CONTENTS)
        self.dataset = get_dataset(self.contents.dataset)

    def file(self, name: str, file: str) -> Path:
        """The path of a results file of a model, a sweep or a comparison with PCA."""
        return self.folder / archive_path(name, file)

    def metrics(self, name: str, file: str = "metrics.json") -> Record:
        """The contents of one of its metrics files."""
        return METRICS_FILES[file].read(self.file(name, file))

    def model(self, name: str) -> "Autoencoder":
        """The trained network; its settings are `model.spec.settings`."""
        from latentlab.models.checkpoint import load_checkpoint

        return load_checkpoint(self.file(name, "weights.safetensors"))

    def data(self, split: str) -> "tuple[Tensor, Tensor]":
        """Images, uint8 (n, rows, columns), and labels, int64 (n,), of "train", "validation" or "test". The first call
        fetches them from the folder that the environment variable LATENTLAB_DATA names, or else downloads them.

        Raises:
            UserError: no source has them.
        """
        from latentlab.models.inputs import to_tensors

        record = self.contents.data[self.dataset.name]
        record = msgspec.structs.replace(record, folder=str(self.folder / record.folder))
        if not is_fetched(record):
            data_dir = local_data_folder(None)
            source = "synthetic" if record.is_synthetic else "local" if data_dir else "download"
            fetch_dataset(self.dataset, self.folder / "resources", source, data_dir)
        return to_tensors(*load_split(record, split))

    def figure(self, name: str, width: float | None = None) -> "Image":
        """The assignment's figure `name`, to be displayed in a notebook.

        Args:
            width: millimetres; the height changes in proportion. None: as wide as on the page.
        """
        from IPython.display import Image

        from latentlab.figures.base import draw_figure, use_style

        spec = self.contents.figures[name]
        width = width or spec.width
        spec = msgspec.structs.replace(
            spec,
            width=width,
            height=None if spec.height is None else spec.height * width / spec.width,
            panels=tuple(
                msgspec.structs.replace(
                    panel, files={file: str(self.folder / path) for file, path in panel.files.items()}
                )
                for panel in spec.panels
            ),
        )
        use_style(self.folder / STYLE)
        with TemporaryDirectory() as folder:
            path = Path(folder, "figure.png")
            draw_figure(spec, path)
            alt = figure_declarations()[spec.plot].summary
            return Image(path.read_bytes(), width=round(spec.width * PIXELS_PER_MM), alt=alt)


def fill_archive(
    folder: str | Path,
    contents: ArchiveContents,
    files: Mapping[tuple[str, str], str | Path],
    style: str | Path,
) -> None:
    """Make `folder` an unpacked archive.

    Args:
        contents: what it contains.
        files: (name of a model, results file) → where that file is.
        style: path of the matplotlibrc for its figures.
    """
    folder = Path(folder)
    for (name, file), source in files.items():
        target = folder / archive_path(name, file)
        target.parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(source, target)
    shutil.copyfile(style, folder / STYLE)
    shutil.copytree(Path(latentlab.__file__).parent, folder / "latentlab", ignore=shutil.ignore_patterns("*cache*"))
    contents.write(folder / CONTENTS)
    write_text(folder / "requirements.txt", "\n".join(_requirements()) + "\n")


def pack_archive(folder: str | Path, path: str | Path) -> None:
    """Zip all files of `folder` except its data."""
    files = {file.relative_to(folder): file for file in Path(folder).rglob("*") if file.is_file()}
    write_zip(path, {str(name): file for name, file in files.items() if not NOT_ARCHIVED & set(name.parts)})


def _requirements() -> list[str]:
    """The packages that this library needs, each with its installed version."""
    names = re.findall(r"^[A-Za-z0-9._-]+", "\n".join(requires("latentlab") or []), re.MULTILINE)
    return [f"{name}=={version(name).split('+')[0]}" for name in sorted(names)]
