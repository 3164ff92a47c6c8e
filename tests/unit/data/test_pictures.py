"""Images of one's own: checked, resized and split."""

import os
import shutil

import msgspec
import numpy as np
import pytest
from builders import COLOUR, draw_pictures
from PIL import Image, ImageFile

from latentlab.data.pictures import MIN_IMAGES, prepare_images, read_image, split_indices
from latentlab.data.splits import load_split
from latentlab.records.data import DataRecord, ImageFolder
from latentlab.runtime.errors import UserError

GREY = msgspec.structs.replace(COLOUR, image_shape=COLOUR.size)


@pytest.fixture
def folder(tmp_path):
    draw_pictures(tmp_path / "pictures", COLOUR, MIN_IMAGES)
    return tmp_path / "pictures"


def prepare(folder, dataset=COLOUR, training_size=None, **options):
    lines = []
    source = ImageFolder(folder=str(folder), **options)
    return prepare_images(dataset, source, folder.parent / "resources", training_size, lines.append)


def test_every_image_is_in_one_split_and_keeps_its_pixels_and_its_class(folder):
    record = prepare(folder)
    splits = {split: load_split(record, split) for split in ("train", "validation", "test")}
    assert {split: images.shape for split, (images, _) in splits.items()} == {
        "train": (42, 3, 20, 32),
        "validation": (6, 3, 20, 32),
        "test": (12, 3, 20, 32),
    }
    given = {}
    for label, name in enumerate(COLOUR.classes):
        for path in (folder / name).iterdir():
            given[np.moveaxis(np.asarray(Image.open(path)), -1, 0).tobytes()] = label
    pairs = [pair for images, labels in splits.values() for pair in zip(images, labels, strict=True)]
    found = {image.tobytes(): label for image, label in pairs}
    assert len(given) == 60 and found == given


def test_the_record_holds_the_declaration_and_both_checksums(folder, tmp_path):
    record = prepare(folder)
    record.write(tmp_path / "record.json")
    assert DataRecord.read(tmp_path / "record.json") == record
    assert record.declaration == COLOUR and not record.is_synthetic
    assert prepare(folder) == record, "the same bytes again"
    path = next((folder / "disc").iterdir())
    Image.open(path).transpose(Image.Transpose.FLIP_LEFT_RIGHT).save(path)
    changed = prepare(folder)
    assert changed.originals != record.originals and changed.digest != record.digest


def test_the_seed_draws_the_split_and_nothing_else(folder):
    records = [prepare(folder, seed=seed) for seed in (0, 1)]
    assert records[0].originals == records[1].originals and records[0].digest != records[1].digest
    labels = np.repeat([0, 1, 2], [100, 50, 20]).astype(np.uint8)
    source = ImageFolder(folder="x", test_share=0.2, validation_share=0.1)
    train, validation, test = split_indices(labels, source)
    assert [np.bincount(labels[part]).tolist() for part in (train, validation, test)] == [
        [70, 35, 14], [10, 5, 2], [20, 10, 4],
    ]  # fmt: skip
    assert sorted(np.concatenate([train, validation, test])) == list(range(170))
    assert (np.diff(labels[train].astype(int)) != 0).sum() > 20, "classes are mixed"


def test_a_training_size_counts_only_where_there_are_more_images(folder):
    assert prepare(folder, training_size=10).training_size == 10
    assert len(load_split(prepare(folder, training_size=10), "train")[0]) == 10
    assert prepare(folder, training_size=3000).training_size is None


@pytest.mark.parametrize("suffix", [".jpg", ".jpeg", ".JPG", ".png"])
def test_png_and_jpeg_files_are_read_in_grey_and_in_colour(tmp_path, suffix):
    pixels = np.zeros((40, 64, 3), np.uint8)
    pixels[:, :32] = (200, 100, 0)
    Image.fromarray(pixels).save(tmp_path / f"x{suffix}", quality=100, subsampling=0)
    image = read_image(tmp_path / f"x{suffix}", COLOUR, "stretch").astype(int)
    assert (
        image.shape == (3, 20, 32) and (abs(image[:, 10, 4] - (200, 100, 0)) < 5).all() and (image[:, :, 20:] < 5).all()
    )
    grey = read_image(tmp_path / f"x{suffix}", GREY, "stretch").astype(int)
    assert grey.shape == (20, 32) and abs(grey[10, 4] - (0.299 * 200 + 0.587 * 100)) < 5


@pytest.mark.parametrize(
    ("resize", "left", "middle"), [("stretch", (255, 0, 0), (0, 255, 0)), ("crop", (0, 255, 0), (0, 255, 0)),
                                  ("pad", (255, 0, 0), (0, 255, 0))],
)  # fmt: skip
def test_images_of_another_shape_are_resized_as_stated(tmp_path, resize, left, middle):
    """A picture that is twice too wide: a red, a green and a red third."""
    pixels = np.zeros((40, 128, 3), np.uint8)
    pixels[:, :, 0], pixels[:, 43:85] = 255, (0, 255, 0)
    Image.fromarray(pixels).save(tmp_path / "x.png")
    image = np.moveaxis(read_image(tmp_path / "x.png", COLOUR, resize), 0, -1)
    assert tuple(image[10, 6]) == left and tuple(image[10, 16]) == middle
    assert (image[0].max() == 0) == (resize == "pad")


def test_photographs_are_upright_and_transparent_parts_black(tmp_path):
    pixels = np.zeros((32, 20, 3), np.uint8)
    pixels[:, :10] = 255  # white on the left; turned to the right, it is above
    exif = Image.Exif()
    exif[0x0112] = 6
    Image.fromarray(pixels).save(tmp_path / "x.jpg", exif=exif, quality=100)
    image = read_image(tmp_path / "x.jpg", GREY, "stretch")
    assert image[:8].min() > 200 and image[12:].max() < 50
    half = np.full((20, 32, 4), 255, np.uint8)
    half[:, 16:, 3] = 0
    Image.fromarray(half).save(tmp_path / "x.png")
    image = read_image(tmp_path / "x.png", COLOUR, "stretch")
    assert (image[:, :, :16] == 255).all() and (image[:, :, 16:] == 0).all()


def damage(path):
    path.write_bytes(path.read_bytes()[:60])


def write_text(path):
    path.write_text("not an image")


def write_bomb(path, size=10_000):
    Image.new("1", (size, size)).save(path)


def write_large_bomb(path):
    write_bomb(path, 20_000)


def write_deep(path):
    Image.fromarray(np.full((20, 32), 40_000, np.uint16)).save(path)


def write_gif(path):
    Image.new("L", (32, 20)).save(path, format="GIF")


def make_pipe(path):
    path.unlink()
    os.mkfifo(path)


def link(path):
    path.rename(path.with_name("elsewhere.dat"))
    path.symlink_to(path.with_name("elsewhere.dat"))


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        (damage, "not an image that can be read"),
        (write_text, "not an image that can be read"),
        (write_gif, "not an image that can be read"),
        (write_bomb, "not an image that can be read .*decompression bomb"),
        (write_large_bomb, "not an image that can be read .*decompression bomb"),
        (write_deep, "not an image that can be read .*at most 8 bits per channel"),
        (link, "a symlink; replace it by the image itself"),
        (make_pipe, "not a file; remove it"),
    ],
)
def test_a_file_that_cannot_be_used_is_named_in_one_sentence(folder, change, reason, monkeypatch):
    monkeypatch.setattr(ImageFile, "LOAD_TRUNCATED_IMAGES", True)  # as a library may have done
    path = sorted((folder / "square").iterdir())[3]
    change(path)
    with pytest.raises(UserError, match=rf"{path}: {reason}") as error:
        prepare(folder)
    assert "\n" not in str(error.value) and not (folder.parent / "resources").exists()


def test_a_folder_that_does_not_hold_the_classes_is_named(folder):
    with pytest.raises(UserError, match=r"nowhere: not a folder; name the one that holds a folder of images for each"):
        prepare(folder.parent / "nowhere")
    (folder / "bow").rename(folder.parent / "bow")
    with pytest.raises(UserError, match=r"pictures/bow: not a folder; put the images of class bow there"):
        prepare(folder)
    (folder / "bow").symlink_to(folder.parent / "bow")
    with pytest.raises(UserError, match=r"pictures/bow: a symlink; put the images of class bow there themselves"):
        prepare(folder)
    (folder / "bow").unlink()
    (folder / "bow").mkdir()
    with pytest.raises(
        UserError, match=r"pictures/bow: no PNG or JPEG files; put at least 20 images of class bow there"
    ):
        prepare(folder)
    (folder / "bow").rmdir()
    (folder.parent / "bow").rename(folder / "bow")
    next((folder / "bow").iterdir()).unlink()
    with pytest.raises(UserError, match=r"pictures/bow: 19 PNG or JPEG files; put at least 20"):
        prepare(folder)
    (folder / "star").mkdir()
    with pytest.raises(UserError, match=r"pictures/star: not among the classes of Shapes; add it to them, or move it"):
        prepare(folder)


def test_hidden_files_and_files_of_other_kinds_do_not_count(folder):
    record = prepare(folder)
    (folder / "bow/._1.png").write_text("of an operating system")
    (folder / "bow/notes.txt").write_text("of a teacher")
    (folder / ".thumbnails").mkdir()
    (folder / "bow/.thumbnails").mkdir()
    shutil.copy(next((folder / "bow").glob("*.png")), folder / "bow/.thumbnails/0.png")
    assert prepare(folder) == record


def test_a_folder_behind_a_symlink_is_named(folder):
    """Its images would count twice, or as those of another class."""
    for target in ("../disc", "."):
        (folder / "bow/more").symlink_to(target)
        with pytest.raises(UserError, match="bow/more: a symlink; replace it by the folder itself, or remove it"):
            prepare(folder)
        (folder / "bow/more").unlink()


def test_the_name_of_a_file_need_not_be_utf_8(folder):
    n_images = len(load_split(prepare(folder), "train")[0])
    for i in range(10):
        shutil.copy(next((folder / "bow").glob("*.png")), os.fsencode(folder / "bow") + b"/\xff%d.png" % i)
    assert len(load_split(prepare(folder), "train")[0]) > n_images


def test_more_images_than_fit_into_memory_are_refused(folder, monkeypatch):
    monkeypatch.setattr("latentlab.data.pictures.MAX_BYTES", 60 * 3 * 20 * 32 - 1)
    with pytest.raises(
        UserError, match="60 images of 20×32 pixels are more than fit into memory; make the size smaller"
    ):
        prepare(folder)
