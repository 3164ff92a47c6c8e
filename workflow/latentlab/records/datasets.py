"""The data sets, each declared once. Everything that depends on a data set (shapes, class names, checksums, the reader
of its files, its synthetic counterpart) is read from its declaration, so a new data set is one more entry here."""

from math import prod

import msgspec

from latentlab.records.base import Record
from latentlab.runtime.errors import UserError

ARCHIVE_SUFFIX = ".gz"


def archive_name(name: str) -> str:
    """The name under which a file of a data set is published."""
    return name if name.endswith(ARCHIVE_SUFFIX) else name + ARCHIVE_SUFFIX


class ImageShape(Record, frozen=True):
    """What depends on the shape of an image alone."""

    image_shape: tuple[int, ...]
    """Of an image as it is stored: rows and columns, pixels, or of a colour image 3, rows and columns."""

    @property
    def size(self) -> tuple[int, int]:
        """Rows and columns, pixels."""
        rows, columns = self.image_shape[-2:]
        return rows, columns

    @property
    def n_channels(self) -> int:
        """1, or 3 for colour images."""
        return self.n_pixels // prod(self.size)

    @property
    def n_pixels(self) -> int:
        """Numbers that an image consists of: a pixel has one for each channel."""
        return prod(self.image_shape)


class Dataset(ImageShape, frozen=True, kw_only=True):
    """A data set of small images with class labels."""

    name: str
    """Its name in configurations and paths."""
    title: str
    """Its name in text and figures."""
    classes: tuple[str, ...]
    """Class names, in the order of the labels."""
    torchvision: str | None = None
    """The class of torchvision.datasets that lists its mirrors; None for images of one's own."""
    sha256: dict[str, str] = msgspec.field(default_factory=dict)
    """File name → SHA-256. Of a file that is published as a .gz that of the unpacked file, because archives are often
    packed again; or, if only the archive's own checksum was published, that of the .gz, whose name it then is."""
    ood_partner: str | None = None
    """Name of the data set whose images serve as out-of-distribution (OOD) examples, if there is one."""
    reader: str
    """The format of its files: a key of `latentlab.data.splits.READERS`."""
    synthetic: str | None = None
    """The function of `latentlab.data.synthetic` that draws one image of its synthetic counterpart."""

    @property
    def n_classes(self) -> int:
        return len(self.classes)


_ALL = (
    Dataset(
        name="MNIST",
        title="MNIST",
        torchvision="MNIST",
        image_shape=(28, 28),
        classes=("0", "1", "2", "3", "4", "5", "6", "7", "8", "9"),
        sha256={
            "train-images-idx3-ubyte": "ba891046e6505d7aadcbbe25680a0738ad16aec93bde7f9b65e87a2fc25776db",
            "train-labels-idx1-ubyte": "65a50cbbf4e906d70832878ad85ccda5333a97f0f4c3dd2ef09a8a9eef7101c5",
            "t10k-images-idx3-ubyte": "0fa7898d509279e482958e8ce81c8e77db3f2f8254e26661ceb7762c4d494ce7",
            "t10k-labels-idx1-ubyte": "ff7bcfd416de33731a308c3f266cc351222c34898ecbeaf847f06e48f7ec33f2",
        },
        ood_partner="FashionMNIST",
        reader="idx",
        synthetic="draw_digit",
    ),
    Dataset(
        name="FashionMNIST",
        title="Fashion-MNIST",
        torchvision="FashionMNIST",
        image_shape=(28, 28),
        classes=(
            "T-shirt", "trouser", "pullover", "dress", "coat", "sandal", "shirt", "sneaker", "bag", "ankle boot",
        ),
        sha256={
            "train-images-idx3-ubyte": "c59f468a2f672dc815687fe0f83887768d799fd8a3f3276145d20f83aa44d888",
            "train-labels-idx1-ubyte": "bad3541b69d912435c50bb6ba87bec294ff4f6a2e1246121d8633921760443d9",
            "t10k-images-idx3-ubyte": "5b4141f0afbad91edebe8549f8fcffe087ea10ca49f1dbef5c9a5cd8815ce37b",
            "t10k-labels-idx1-ubyte": "0402a96d92fd2663957122ceb108a494c5af83dab82d92729df917d7dec38c34",
        },
        ood_partner="MNIST",
        reader="idx",
        synthetic="draw_garment",
    ),
    Dataset(  # Clanuwat et al. 2018: cursive Japanese characters
        name="KMNIST",
        title="KMNIST",
        torchvision="KMNIST",
        image_shape=(28, 28),
        classes=("o", "ki", "su", "tsu", "na", "ha", "ma", "ya", "re", "wo"),
        sha256={
            "train-images-idx3-ubyte.gz": "51467d22d8cc72929e2a028a0428f2086b092bb31cfb79c69cc0a90ce135fde4",
            "train-labels-idx1-ubyte.gz": "e38f9ebcd0f3ebcdec7fc8eabdcdaef93bb0df8ea12bee65224341c8183d8e17",
            "t10k-images-idx3-ubyte.gz": "edd7a857845ad6bb1d0ba43fe7e794d164fe2dce499a1694695a792adfac43c5",
            "t10k-labels-idx1-ubyte.gz": "20bb9a0ef54c7db3efc55a92eef5582c109615df22683c380526788f98e42a1c",
        },
        ood_partner="MNIST",
        reader="idx",
        synthetic="draw_character",
    ),
)  # fmt: skip
DATASETS = {dataset.name: dataset for dataset in _ALL}


def get_dataset(name: str) -> Dataset:
    """The declaration of the data set `name`.

    Raises:
        UserError: there is none.
    """
    if name not in DATASETS:
        raise UserError(f"dataset: {name!r} is not one of {', '.join(DATASETS)}")
    return DATASETS[name]
