"""Makes a PDF conform to PDF/A-3a and to PDF/UA-1 at once, of which WeasyPrint declares only one, and lists where it
does not."""

from collections.abc import Container, Iterator
from pathlib import Path
from typing import Any

PDFUA = "http://www.aiim.org/pdfua/ns/id/"
# Declares conformance to PDF/UA-1, and the property that does so, which PDF/A does not know (ISO 19005-3, 6.6.2.3).
IDENTIFICATION = f"""
<rdf:Description rdf:about="" xmlns:pdfuaid="{PDFUA}"><pdfuaid:part>1</pdfuaid:part></rdf:Description>
<rdf:Description rdf:about="" xmlns:pdfaExtension="http://www.aiim.org/pdfa/ns/extension/"
    xmlns:pdfaSchema="http://www.aiim.org/pdfa/ns/schema#" xmlns:pdfaProperty="http://www.aiim.org/pdfa/ns/property#">
  <pdfaExtension:schemas><rdf:Bag><rdf:li rdf:parseType="Resource">
    <pdfaSchema:schema>PDF/UA identification</pdfaSchema:schema>
    <pdfaSchema:namespaceURI>{PDFUA}</pdfaSchema:namespaceURI>
    <pdfaSchema:prefix>pdfuaid</pdfaSchema:prefix>
    <pdfaSchema:property><rdf:Seq><rdf:li rdf:parseType="Resource">
      <pdfaProperty:name>part</pdfaProperty:name>
      <pdfaProperty:valueType>Integer</pdfaProperty:valueType>
      <pdfaProperty:category>internal</pdfaProperty:category>
      <pdfaProperty:description>The part of ISO 14289 to which the document conforms</pdfaProperty:description>
    </rdf:li></rdf:Seq></pdfaSchema:property>
  </rdf:li></rdf:Bag></pdfaExtension:schemas>
</rdf:Description>
""".encode()
ZERO_WIDTH_SPACE = b"<200b>"  # what a glyph stands for that is one of several of a character: nothing is forbidden
RDF_END = b"</rdf:RDF>"
STREAM_END = b"\nendstream"


def conform(document: Any, pdf: Any, formulas: Container[str] = (), attempt: int = 0) -> None:
    """A finisher for WeasyPrint's `Document.write_pdf`: it changes the objects of a PDF (pydyf) before they are
    written.

    Args:
        formulas: the alternative texts of images that are formulas.
        attempt: another number makes another file of the same content.
    """
    if attempt:
        pdf.add_object(type(pdf.info)({"Attempt": attempt}))  # which nothing refers to
    for item in list(pdf.objects):
        if isinstance(item, dict) and item.get("S") == "/Figure" and "Alt" in item and item["Alt"].string in formulas:
            item["S"] = "/Formula"
        if isinstance(item, dict) and item.get("S") == "/LI":
            _wrap_body(item, pdf)
        if not hasattr(item, "extra"):
            continue
        if item.extra.get("Type") == "/Metadata":
            _identify(item)
        if b"begincmap" in item.stream:
            item.stream = [line.replace(b"<>", ZERO_WIDTH_SPACE) for line in item.stream]
        if item.extra.get("Interpolate") == "true":  # forbidden in PDF/A; viewers smooth images as they like
            item.extra["Interpolate"] = "false"
        _avoid_final_return(item)


def is_unambiguous(path: str | Path) -> bool:
    """Whether no stream of a PDF ends with a carriage return (see `_avoid_final_return`). Two of them, the tables of
    all objects, are compressed when the file is written, so that a finisher cannot change their ends."""
    return b"\r" + STREAM_END not in Path(path).read_bytes()


def violations(pdf: str | Path) -> Iterator[str]:
    """A sentence for each machine-checkable rule of PDF/A-3a or PDF/UA-1 that a PDF violates: the rule, what is wrong,
    and the object.

    Raises:
        page.PageError: it is not a PDF.
    """
    import page

    for profile in (page.ValidationProfile.PDF_A_3A, page.ValidationProfile.PDF_UA_1):
        for failure in page.validate_pdf(pdf, profile=profile).failures:
            place = f" (object {failure.object_id.object_number})" if failure.object_id else ""
            yield f"{failure.rule_id}: {failure.message}{place}"


def _identify(metadata: Any) -> None:
    """Add the identification as PDF/UA to the XMP metadata, which PDF/A wants uncompressed."""
    (xmp,) = metadata.stream
    metadata.stream, metadata.compress = [xmp.replace(RDF_END, IDENTIFICATION + RDF_END)], False


def _wrap_body(list_item: Any, pdf: Any) -> None:
    """Put the paragraphs of a list item into one body: besides that it may only have a label."""
    new_dictionary, new_array = type(list_item), type(list_item["K"])
    kids = {kid: pdf.objects[int(kid.split()[0])] for kid in list_item["K"] if isinstance(kid, bytes)}
    loose = [kid for kid, element in kids.items() if element["S"] not in ("/Lbl", "/LBody")]
    if not loose:
        return
    body = new_dictionary({name: list_item[name] for name in ("Type", "Pg")})
    pdf.add_object(body)
    body.update({"S": "/LBody", "K": new_array(loose), "P": list_item.reference})
    for kid in loose:
        kids[kid]["P"] = body.reference
    list_item["K"] = new_array([kid for kid in list_item["K"] if kid not in loose] + [body.reference])


def _avoid_final_return(stream: Any) -> None:
    """Let no compressed stream end with a carriage return: readers take it for a part of the line break that follows,
    and find the stream one byte shorter than its Length. Decoders ignore bytes after the compressed data."""
    data = stream.data.partition(b"stream\n")[2].removesuffix(STREAM_END)
    if data.endswith(b"\r"):
        if stream.compress:
            stream.extra["Filter"] = "/FlateDecode"
        stream.stream, stream.compress = [data, b""], False
