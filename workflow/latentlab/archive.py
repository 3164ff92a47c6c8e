"""What is handed in besides the page: a folder that holds a hand-in's weights, measurements and figures, and this
library, by the names of its handin.yaml. A notebook opens it with `Archive()` and needs nothing else but the data."""

import re
import shutil
from importlib.metadata import requires, version
from pathlib import Path
from tempfile import TemporaryDirectory

import latentlab
from latentlab import data, fetch
from latentlab.files import read_json, write_json, write_text, write_zip

CONTENTS, STYLE = "contents.json", "matplotlibrc"


class Archive:
    """An unpacked archive.

    `contents` says what it holds: `dataset`, `data` (data set → its record, see data.py), `models` (name → `label`,
    `random`) and `figures` (name → `plot`, `models`, `width`, `height`, `options`).
    """

    def __init__(self, folder="."):
        self.folder = Path(folder)
        self.contents = read_json(self.folder / CONTENTS)
        self.classes = data.CLASSES[self.contents["dataset"]]

    def file(self, name, file):
        """The path of `file` of the model or sweep that the hand-in calls `name`."""
        return self.folder / "runs" / name / file

    def measured(self, name, file="metrics.json"):
        """What the pipeline measured of it."""
        return read_json(self.file(name, file))

    def model(self, name):
        """The trained network, and its settings."""
        from latentlab import training

        model, described = training.load(self.file(name, "weights.safetensors"))
        return model, described["settings"]

    def data(self, split):
        """Images, uint8 `(n, 28, 28)`, and labels `(n,)`, as tensors. At the first call they are fetched
        from the folder that LATENTLAB_DATA names, else downloaded.

        Raises:
            UserError: they cannot be had.
        """
        from latentlab import training

        dataset = self.contents["dataset"]
        record = self.contents["data"][dataset]
        record = record | {"folder": str(self.folder / record["folder"])}
        if not all(Path(record["folder"], name).is_file() for name in data.NAMES):
            folder = fetch.local_folder(None)
            source = "stand-in" if data.is_stand_in(record) else "local" if folder else "download"
            fetch.fetch(dataset, self.folder / "resources", source, folder)
        return training.tensors(*data.load(record, split))

    def figure(self, name, width=None):
        """The hand-in's figure `name`, for a notebook to show; `width` in millimetres, if not the page's."""
        from IPython.display import Image

        from latentlab import handins, plots

        spec = self.contents["figures"][name]
        panels = [
            plots.Panel(
                **self.contents["models"][model],
                files={need: self.file(model, need) for need in handins.NEEDS[spec["plot"]]},
            )
            for model in spec["models"]
        ]
        plots.use_style(self.folder / STYLE)
        size = {key: spec[key] * (width or spec["width"]) / spec["width"] for key in ("width", "height") if key in spec}
        with TemporaryDirectory() as folder:
            path = Path(folder, "figure.png")
            plots.draw(spec["plot"], path, panels, self.classes, **size, **spec["options"])
            alt = str(plots.FIGURES[spec["plot"]].__doc__).strip().split("\n")[0]
            return Image(path.read_bytes(), width=round(size["width"] / 25.4 * 120), alt=alt)


def fill(folder, contents, files, style):
    """Make `folder` an unpacked archive: `contents` as above, `files` ((name, file) → where it is), the figures' style,
    this library's modules, and the packages that they need."""
    folder = Path(folder)
    for (name, file), source in files.items():
        (folder / "runs" / name).mkdir(parents=True, exist_ok=True)
        shutil.copyfile(source, folder / "runs" / name / file)
    shutil.copyfile(style, folder / STYLE)
    shutil.copytree(
        Path(latentlab.__file__).parent,
        folder / "latentlab",
        ignore=lambda _, names: [n for n in names if "cache" in n],
    )
    write_json(folder / CONTENTS, contents)
    write_text(folder / "requirements.txt", "\n".join(_requirements()) + "\n")


def _requirements():
    """The packages that the library names, in the versions at work here."""
    names = re.findall(r"^[A-Za-z0-9._-]+", "\n".join(requires("latentlab") or []), re.MULTILINE)
    return [f"{name}=={version(name).split('+')[0]}" for name in sorted(names)]


def pack(folder, path):
    """Zip all files of `folder` but its data."""
    files = {file.relative_to(folder): file for file in Path(folder).rglob("*") if file.is_file()}
    left_out = {"resources", "__pycache__"}
    write_zip(path, {str(name): file for name, file in files.items() if not left_out & set(name.parts)})
