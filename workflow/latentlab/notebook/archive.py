"""The archive with which the results of a notebook can be made again: weights, metrics, the library and its
requirements."""

import re
from collections.abc import Mapping
from importlib.metadata import requires, version
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from latentlab.runtime.dependencies import PACKAGE, all_modules
from latentlab.runtime.files import write_text, write_yaml, write_zip

README = """# Weights, metrics and library

`runs/` has the weights and the metrics of every model that the notebook and its report show, `config.yaml` their
settings, and `latentlab/` the library that trained and measured them. After `pip install -r requirements.txt`, here:

```python
from latentlab.models.checkpoint import load_checkpoint
from latentlab.models.train import train_model

model = load_checkpoint("runs/NAME/weights.safetensors")
```

`train_model` trains a model of any number of latent dimensions, and with any seed, as the sweep does.
"""


def pack_library(path: str | Path, files: Mapping[tuple[str, str], str | Path], settings: Mapping[str, Any]) -> None:
    """Write the archive; equal contents give equal bytes.

    Args:
        files: (name of a model, results file) → where that file is.
        settings: the configuration that the results depend on, written as config.yaml.
    """
    with TemporaryDirectory() as folder:
        texts = Path(folder)
        write_text(texts / "README.md", README.replace("NAME", next(name for name, _ in files)))
        write_text(texts / "requirements.txt", "\n".join(_requirements()) + "\n")
        write_yaml(texts / "config.yaml", settings)
        members: dict[str, str | Path] = {file.name: file for file in texts.iterdir()}
        members |= {f"runs/{name}/{file}": source for (name, file), source in files.items()}
        members |= {str(Path(module).relative_to(PACKAGE.parent)): module for module in all_modules()}
        write_zip(path, members)


def _requirements() -> list[str]:
    """The packages that this library needs, each with its installed version."""
    names = re.findall(r"^[A-Za-z0-9._-]+", "\n".join(requires("latentlab") or []), re.MULTILINE)
    return [f"{name}=={version(name).split('+')[0]}" for name in sorted(names)]
