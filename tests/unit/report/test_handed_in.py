"""What was handed in is read as data, within limits."""

import os
import zipfile

import planted
import pytest

from latentlab.report import handed_in
from latentlab.report.handed_in import read_handed_in
from latentlab.report.pdf import print_pdf
from latentlab.runtime.errors import UserError


@pytest.fixture
def attachments(tmp_path):
    """Configuration and provenance of a report: name → path."""
    (tmp_path / "config.yaml").write_text("assignment: lab8\n")
    planted.provenance(planted.metrics(planted.load("lab8"), tmp_path)).write(tmp_path / "provenance.json")
    return {name: tmp_path / name for name in ("config.yaml", "provenance.json")}


def pdf(folder, attachments):
    (folder / "page.html").write_text(planted.html("lab8", folder))
    print_pdf(folder / "page.html", folder / "report.pdf", attachments)
    return folder / "report.pdf"


def archive(folder, **members):
    with zipfile.ZipFile(folder / "report.zip", "w", zipfile.ZIP_DEFLATED) as file:
        for name, content in members.items():
            file.writestr(name.replace("_", "."), content)
    return folder / "report.zip"


def test_a_report_and_an_archive_of_it_are_read_alike(tmp_path, attachments):
    report = pdf(tmp_path, attachments)
    contents = {name: path.read_bytes() for name, path in attachments.items()}
    packed = {name.replace(".", "_"): content for name, content in contents.items()}
    of_report = read_handed_in(report)
    of_archive = read_handed_in(archive(tmp_path, lab8_pdf=report.read_bytes(), **packed))
    assert of_report.pdf == of_archive.pdf == report.read_bytes()
    assert of_report.provenance == of_archive.provenance
    assert dict(of_report.members) == contents and not of_report.is_archive
    assert of_archive.members["config.yaml"] == contents["config.yaml"] and of_archive.is_archive


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"words", "neither a PDF nor a zip archive"),
        (b"%PDF-1.7 damaged", "the PDF is damaged"),
        (b"PK\x05\x06" + bytes(18), "has 0 PDFs, not one"),
    ],
)
def test_what_is_no_submission_is_refused_in_one_sentence(tmp_path, content, message):
    (tmp_path / "file").write_bytes(content)
    with pytest.raises(UserError, match=message):
        read_handed_in(tmp_path / "file")


def test_a_file_that_is_missing_or_too_large_is_refused(tmp_path, monkeypatch):
    with pytest.raises(UserError, match="no such file or directory; name the PDF or the archive"):
        read_handed_in(tmp_path / "absent.pdf")
    monkeypatch.setattr(handed_in, "MAX_FILE_MB", 0)
    (tmp_path / "large.pdf").write_bytes(b"%PDF-")
    with pytest.raises(UserError, match="are no report of latentlab"):
        read_handed_in(tmp_path / "large.pdf")


def test_only_files_are_opened(tmp_path):
    (tmp_path / "link.pdf").symlink_to(__file__)
    (tmp_path / "folder.pdf").mkdir()
    os.mkfifo(tmp_path / "pipe.pdf")
    for path in sorted(tmp_path.iterdir()):
        with pytest.raises(UserError, match=f"{path.name}: a link, folder or device is not opened"):
            read_handed_in(path)


def test_what_unpacks_to_too_much_is_refused(tmp_path, attachments, monkeypatch):
    with pytest.raises(UserError, match="has a file of more than 20 MB"):
        read_handed_in(archive(tmp_path, x_pdf=bytes(30_000_000)))
    with pytest.raises(UserError, match="unpacks to more than any submission"):
        read_handed_in(archive(tmp_path, **{f"{i}": b"" for i in range(501)}))
    (tmp_path / "bomb").write_bytes(bytes(30_000_000))
    with pytest.raises(UserError, match="has a file of more than 20 MB"):
        read_handed_in(pdf(tmp_path, {"bomb": tmp_path / "bomb"}))


def test_a_report_without_its_attachments_is_refused(tmp_path):
    with pytest.raises(UserError, match=r"has no config\.yaml, so it cannot be made again"):
        read_handed_in(pdf(tmp_path, {}))


@pytest.mark.parametrize("provenance", ["", "[]", "[" * 100_000, '{"commit": 1}'])
def test_a_damaged_provenance_is_refused(tmp_path, provenance):
    report = pdf(tmp_path, {}).read_bytes()
    path = archive(tmp_path, lab8_pdf=report, config_yaml="", provenance_json=provenance)
    with pytest.raises(UserError, match=r"its provenance\.json is damaged or of another version"):
        read_handed_in(path)


def test_an_archive_with_a_damaged_pdf_or_damaged_data_is_refused(tmp_path):
    with pytest.raises(UserError, match="the PDF is damaged"):
        read_handed_in(archive(tmp_path, lab8_pdf=b"%PDF-1.7 damaged"))
    path = archive(tmp_path, lab8_pdf=bytes(range(256)) * 99)
    content = bytearray(path.read_bytes())
    content[60] ^= 0xFF
    path.write_bytes(content)
    with pytest.raises(UserError, match="the archive is damaged"):
        read_handed_in(path)
