"""What documents say: real ones, made by the libraries that people's programs are compatible with, and broken ones."""

import io
import zipfile
from pathlib import Path

import pytest
from docx import Document
from openpyxl import Workbook
from pptx import Presentation

from adapters.documents import Documents
from core.errors import OutsideError


@pytest.fixture
def documents(tmp_path: Path) -> Documents:
    return Documents(tmp_path / "scratch")


def saved(document: object) -> bytes:
    file = io.BytesIO()
    document.save(file)  # type: ignore[attr-defined]
    return file.getvalue()


def one_page_pdf(text: str) -> bytes:
    """Return a PDF as it is written by hand: a catalogue, a page, a font, and the text."""
    drawn = f"BT /F1 24 Tf 72 700 Td ({text}) Tj ET".encode()
    objects = [
        b"<< /Type /Catalog /Pages 2 0 R >>", b"<< /Type /Pages /Kids [3 0 R] /Count 1 >>",
        b"<< /Type /Page /Parent 2 0 R /MediaBox [0 0 612 792] /Contents 4 0 R /Resources << /Font << /F1 5 0 R >> >> >>",
        b"<< /Length %d >>\nstream\n%s\nendstream" % (len(drawn), drawn),
        b"<< /Type /Font /Subtype /Type1 /BaseFont /Helvetica >>",
    ]  # fmt: skip
    body, places = bytearray(b"%PDF-1.4\n"), []
    for number, content in enumerate(objects, 1):
        places.append(len(body))
        body += b"%d 0 obj\n%s\nendobj\n" % (number, content)
    table = b"".join(b"%010d 00000 n \n" % place for place in places)
    end = b"xref\n0 6\n0000000000 65535 f \n%strailer\n<< /Size 6 /Root 1 0 R >>\nstartxref\n%d\n%%%%EOF" % (
        table,
        len(body),
    )
    return bytes(body + end)


async def test_each_kind_is_read(documents: Documents) -> None:
    word = Document()
    word.add_heading("Opening hours", 1)
    word.add_paragraph("From nine to five, für alle")
    table = word.add_table(1, 2)
    table.rows[0].cells[0].text, table.rows[0].cells[1].text = "Monday", "closed"
    assert (
        await documents.text("Hours.DOCX", saved(word))
        == "# Opening hours\nFrom nine to five, für alle\nMonday | closed"
    )

    book = Workbook()
    sheet = book.active
    assert sheet is not None
    sheet.title = "Prices"
    for row in (("Bread", 4.5, None), (None, None, None), ("Roll", 0.8, "each")):
        sheet.append(row)
    assert await documents.text("prices.xlsx", saved(book)) == "Sheet Prices\nBread | 4.5\nRoll | 0.8 | each"

    slides = Presentation()
    slide = slides.slides.add_slide(slides.slide_layouts[5])
    assert slide.shapes.title is not None
    slide.shapes.title.text = "Our bakery"
    assert await documents.text("talk.pptx", saved(slides)) == "Slide 1\nOur bakery"

    assert await documents.text("menu.pdf", one_page_pdf("Rye and wheat")) == "Page 1\nRye and wheat"
    assert await documents.text("notes.txt", b"plain") is None


@pytest.mark.parametrize("name", ["a.pdf", "a.docx", "a.xlsx", "a.pptx"])
async def test_what_is_broken_is_said(documents: Documents, name: str, tmp_path: Path) -> None:
    for content in (b"", b"garbage", b"%PDF-1.4\n%%EOF", b"PK\x03\x04" + bytes(200)):
        with pytest.raises(OutsideError, match=r"its text cannot be read \(\w+"):
            await documents.text(name, content)
    assert list((tmp_path / "scratch").iterdir()) == []


async def test_a_bomb_costs_little(documents: Documents) -> None:
    """A few kilobytes that unpack to gigabytes end at the limits of the process that reads them."""
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as packed:
        for name, content in (("[Content_Types].xml", TYPES), ("_rels/.rels", RELATIONS)):
            packed.writestr(name, content)
        with packed.open("word/document.xml", "w", force_zip64=True) as inside:
            inside.write(
                b'<w:document xmlns:w="http://schemas.openxmlformats.org/wordprocessingml/2006/main"><w:body><w:p><w:r><w:t>'
            )
            for _ in range(1_500):
                inside.write(b"a" * 1_000_000)
            inside.write(b"</w:t></w:r></w:p></w:body></w:document>")
    with pytest.raises(OutsideError, match="its text cannot be read"):
        await documents.text("bomb.docx", file.getvalue())


async def test_no_entity_reaches_a_file(documents: Documents, tmp_path: Path) -> None:
    (tmp_path / "secret").write_text("the operator's key")
    word = saved(Document())
    file = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(word)) as old, zipfile.ZipFile(file, "w") as new:
        for name in old.namelist():
            content = old.read(name)
            if name == "word/document.xml":
                content = (
                    f'<!DOCTYPE d [<!ENTITY e SYSTEM "file://{tmp_path}/secret">]>'
                    '<w:document xmlns:w="http://schemas.openxmlformats.org/wordprocessingml/2006/main">'
                    "<w:body><w:p><w:r><w:t>it says: &e;</w:t></w:r></w:p></w:body></w:document>"
                ).encode()
            new.writestr(name, content)
    assert "key" not in str(await documents.text("a.docx", file.getvalue()))


TYPES = """<?xml version="1.0"?><Types xmlns="http://schemas.openxmlformats.org/package/2006/content-types">
<Default Extension="rels" ContentType="application/vnd.openxmlformats-package.relationships+xml"/>
<Override PartName="/word/document.xml" ContentType="application/vnd.openxmlformats-officedocument.wordprocessingml.document.main+xml"/></Types>"""
RELATIONS = """<?xml version="1.0"?><Relationships xmlns="http://schemas.openxmlformats.org/package/2006/relationships">
<Relationship Id="r1" Type="http://schemas.openxmlformats.org/officeDocument/2006/relationships/officeDocument" Target="word/document.xml"/></Relationships>"""
