"""Reads what was handed in, a report or an archive of one. It comes from somebody else: it is opened as data, within
limits, and nothing in it is executed."""

import lzma
import re
import stat
import struct
import zipfile
import zlib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

import msgspec
import pypdfium2

from latentlab.records.assignments import ATTACHMENTS
from latentlab.records.provenance import Provenance
from latentlab.runtime.errors import UserError

MAX_FILE_MB, MAX_MEMBER_MB, MAX_TOTAL_MB, MAX_MEMBERS = 60, 20, 120, 500
MAX_PAGES = 20
# What zipfile raises where an archive is not what it seems to be.
ARCHIVE_ERRORS = (
    *(zipfile.BadZipFile, zlib.error, lzma.LZMAError, struct.error),
    *(NotImplementedError, RuntimeError, EOFError, OSError, ValueError),
)


@dataclass(frozen=True)
class HandedIn:
    """What was handed in."""

    name: str
    pdf: bytes
    members: Mapping[str, bytes]
    """Name → contents: what is attached to the PDF, or everything in the archive."""
    provenance: Provenance
    """The member provenance.json."""

    @property
    def is_archive(self) -> bool:
        return any(name.endswith(".pdf") for name in self.members)


def read_handed_in(path: str | Path) -> HandedIn:
    """The contents of a report or an archive.

    Raises:
        UserError: it is neither, is larger than any, or lacks what it was made from.
    """
    path = Path(path)
    try:
        if path.is_symlink() or not stat.S_ISREG(path.stat().st_mode):
            raise UserError(f"{path}: a link, folder or device is not opened; name the PDF or the archive itself")
        if path.stat().st_size > MAX_FILE_MB * 1_000_000:
            raise UserError(
                f"{path}: more than {MAX_FILE_MB} MB are no report of latentlab; name the PDF or the archive"
            )
        content = path.read_bytes()
    except OSError as error:
        raise UserError(
            f"{path}: {str(error.strerror).lower()}; name the PDF or the archive that was handed in"
        ) from error
    if zipfile.is_zipfile(path):
        members = _archive_members(path)
        content = _only_pdf(path, members)
    else:
        members = _attachments(content, path)
    _check_pages(path, content)
    return HandedIn(path.name, content, members, _provenance(path, members))


def _archive_members(path: Path) -> dict[str, bytes]:
    try:
        with zipfile.ZipFile(path) as archive:
            infos = [info for info in archive.infolist() if not info.is_dir()]
            _check_sizes(path, [info.file_size for info in infos])  # zipfile reads no more than these
            return {info.filename: archive.read(info) for info in infos}
    except ARCHIVE_ERRORS as error:
        raise UserError(f"{path}: the archive is damaged ({error}); ask for the file as it was made") from error


def _only_pdf(path: Path, members: Mapping[str, bytes]) -> bytes:
    pdfs = [content for name, content in members.items() if re.fullmatch(r"[\w.-]+\.pdf", name)]
    if len(pdfs) != 1:
        raise UserError(f"{path}: has {len(pdfs)} PDFs, not one; name an archive that `./run submission` packed")
    return pdfs[0]


def _attachments(pdf: bytes, path: Path) -> dict[str, bytes]:
    if not pdf.startswith(b"%PDF-"):
        raise UserError(f"{path}: neither a PDF nor a zip archive; name what was handed in")
    members: dict[str, bytes] = {}
    try:
        for name, content in _read_attachments(pdf):
            members[name] = content
            _check_sizes(path, [len(content) for content in members.values()])
    except pypdfium2.PdfiumError as error:
        raise UserError(f"{path}: the PDF is damaged ({error}); ask for the file as it was made") from error
    return members


def _read_attachments(pdf: bytes) -> Iterator[tuple[str, bytes]]:
    document = pypdfium2.PdfDocument(pdf)
    for i in range(document.count_attachments()):
        attachment = document.get_attachment(i)
        yield attachment.get_name(), bytes(attachment.get_data())


def _check_pages(path: Path, pdf: bytes) -> None:
    """Raise UserError unless all pages can be read, and are not more than any report has."""
    try:
        pages = pypdfium2.PdfDocument(pdf)
        if not 0 < len(pages) <= MAX_PAGES:
            raise UserError(f"{path}: its PDF has {len(pages)} pages, not one; ask for the file as it was made")
        for page in pages:
            page.get_textpage()
    except pypdfium2.PdfiumError as error:
        raise UserError(f"{path}: the PDF is damaged ({error}); ask for the file as it was made") from error


def _check_sizes(path: Path, sizes: list[int]) -> None:
    if len(sizes) > MAX_MEMBERS or sum(sizes) > MAX_TOTAL_MB * 1_000_000:
        raise UserError(f"{path}: unpacks to more than any submission of latentlab; ask for the file as it was made")
    if max(sizes, default=0) > MAX_MEMBER_MB * 1_000_000:
        raise UserError(
            f"{path}: has a file of more than {MAX_MEMBER_MB} MB, as no submission of latentlab has; ask for the file "
            "as it was made"
        )


def _provenance(path: Path, members: Mapping[str, bytes]) -> Provenance:
    for name in ATTACHMENTS:
        if name not in members:
            raise UserError(f"{path}: has no {name}, so it cannot be made again; ask for the file as it was made")
    try:
        return msgspec.json.decode(members["provenance.json"], type=Provenance)
    except (msgspec.MsgspecError, RecursionError) as error:
        raise UserError(
            f"{path}: its provenance.json is damaged or of another version; ask for the file as it was made"
        ) from error
