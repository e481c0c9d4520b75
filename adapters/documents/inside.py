"""Print the text of the document whose path is the argument, as much as a model is shown of it. Runs alone."""

import itertools
import sys
from collections.abc import Iterator

MOST_CHARS = 24_000
MOST_ROWS, MOST_SHEETS = 300, 10


def pdf(path: str) -> Iterator[str]:
    """Yield a page at a time."""
    from pypdf import PdfReader

    for number, page in enumerate(PdfReader(path).pages, 1):
        yield f"Page {number}\n{page.extract_text()}\n"


def docx(path: str) -> Iterator[str]:
    """Yield paragraphs and tables as they come; headings are marked."""
    from docx import Document
    from docx.table import Table

    for block in Document(path).iter_inner_content():
        if isinstance(block, Table):
            yield from (" | ".join(cell.text.strip() for cell in row.cells) for row in block.rows)
        elif block.text.strip():
            style = block.style.name if block.style is not None else ""
            yield f"# {block.text}" if (style or "").startswith(("Heading", "Title")) else block.text


def xlsx(path: str) -> Iterator[str]:
    """Yield the rows of each sheet."""
    from openpyxl import load_workbook

    book = load_workbook(path, read_only=True, data_only=True)
    for sheet in book.worksheets[:MOST_SHEETS]:
        yield f"Sheet {sheet.title}"
        for row in itertools.islice(sheet.iter_rows(values_only=True), MOST_ROWS):
            cells = ["" if cell is None else str(cell) for cell in row]
            if any(cells):
                yield " | ".join(cells).rstrip(" |")


def pptx(path: str) -> Iterator[str]:
    """Yield what is written on each slide."""
    from pptx import Presentation

    for number, slide in enumerate(Presentation(path).slides, 1):
        texts = [shape.text_frame.text for shape in slide.shapes if shape.has_text_frame]
        yield "\n".join([f"Slide {number}", *(text for text in texts if text.strip())])


def main(path: str) -> None:
    """Print until it is enough."""
    left = MOST_CHARS
    for part in {"pdf": pdf, "docx": docx, "xlsx": xlsx, "pptx": pptx}[path.rpartition(".")[2]](path):
        text = part.encode("utf-8", "replace").decode()[:left]
        print(text)
        left -= len(text) + 1
        if left <= 0:
            break


if __name__ == "__main__":
    sys.stdout.reconfigure(encoding="utf-8")  # type: ignore[union-attr]
    try:
        main(sys.argv[1])
    except Exception as error:  # noqa: BLE001 - whatever a broken document does to a library
        sys.exit(f"{type(error).__name__}: {error}"[:200])
