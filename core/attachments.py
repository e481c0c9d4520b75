"""Files that people drop into a thread: what of them goes to the model, and where they lie in the app."""

import base64
import re
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from typing import Any

from core.errors import OutsideError
from core.files import MAX_FILE_BYTES
from core.llm.chat import Image
from core.manifests import AppManifest
from core.messages import Attachment

MAX_ATTACHMENTS = 10
MAX_TEXT_CHARS, MAX_PASTED_CHARS = 20_000, 100_000
MAX_IMAGES, MAX_IMAGE_BYTES = 5, 5 * 1024 * 1024
PASTED = "message.txt"
"""What Discord calls a text that is too long for a message."""
Fetch = Callable[[Attachment], Awaitable[bytes]]
ReadDocument = Callable[[str, bytes], Awaitable[str | None]]
"""Returns the text of a document by its name and content, None for what is no document."""
_PICTURES = (
    (b"\x89PNG\r\n", "image/png"),
    (b"\xff\xd8\xff", "image/jpeg"),
    (b"GIF8", "image/gif"),
    (b"RIFF", "image/webp"),
)
_FOLDERS = {"static": "uploads", "node": "public/uploads", "fastapi_react": "frontend/public/uploads",
            "react_supabase": "frontend/public/uploads"}  # fmt: skip


@dataclass(frozen=True)
class Attached:
    """One file under the name that it gets in the app; `words` is what was read of a document."""

    name: str
    media_type: str
    content: bytes
    words: str | None = None

    @property
    def text(self) -> str | None:
        """Return the content if it is text, or what was read of it."""
        if self.words is not None:
            return self.words
        try:
            return self.content.decode("utf-8")
        except UnicodeDecodeError:
            return None

    @property
    def image(self) -> Image | None:
        """Return the content if it is a picture that models know, by what it is and not by its name."""
        kind = next((kind for begin, kind in _PICTURES if self.content.startswith(begin)), "")
        if kind == "image/webp" and self.content[8:12] != b"WEBP":
            return None
        if not kind or len(self.content) > MAX_IMAGE_BYTES:
            return None
        return Image(kind, base64.b64encode(self.content).decode())


async def read(
    attachments: Sequence[Attachment], fetch: Fetch, taken: Sequence[str], document: ReadDocument | None = None
) -> tuple[list[Attached], list[str]]:
    """
    Fetch the files; return them, and one sentence for each that was left out.

    Files of one name get numbers, so that none overwrites another or one of the names in `taken`.
    """
    found: list[Attached] = []
    problems: list[str] = []
    names = set(taken)
    for one in attachments[:MAX_ATTACHMENTS]:
        if one.size > MAX_FILE_BYTES:
            problems.append(f"Left out {one.name}: {one.size:,} bytes, the limit is {MAX_FILE_BYTES:,}.")
            continue
        try:
            content = await fetch(one)
        except OutsideError as error:
            problems.append(f"Left out {one.name}: {error}")
            continue
        if len(content) > MAX_FILE_BYTES:
            problems.append(f"Left out {one.name}: {len(content):,} bytes, the limit is {MAX_FILE_BYTES:,}.")
            continue
        name = _free(_safe(one.name), names)
        names.add(name)
        words = None
        try:
            words = await document(name, content) if document else None
        except OutsideError as error:
            problems.append(f"{one.name} is in the app, but {error}.")
        found.append(Attached(name, one.media_type, content, words))
    if len(attachments) > MAX_ATTACHMENTS:
        extra = len(attachments) - MAX_ATTACHMENTS
        problems.append(f"Left out {extra} more files: one message may bring {MAX_ATTACHMENTS}.")
    return found, problems


def pasted(attached: Sequence[Attached]) -> str:
    """Return a message that its platform made a file of because it was long, '' for none, or one that is too long."""
    text = (attached[0].text or "") if len(attached) == 1 and attached[0].name == PASTED else ""
    return text if len(text) <= MAX_PASTED_CHARS else ""


def folder_of(manifest: AppManifest | None) -> str:
    """Return the folder of the app whose files are served below `/uploads/`."""
    return _FOLDERS.get(manifest.kind if manifest else "static", "static/uploads")


def for_model(attached: Sequence[Attached]) -> list[dict[str, Any]] | None:
    """Return what the model is told of the files: their addresses in the app, and the text of texts."""
    return [
        {"name": one.name, "url": f"/uploads/{one.name}", "media_type": one.media_type, "bytes": len(one.content),
         "text": one.text[:MAX_TEXT_CHARS] if one.text is not None else None}
        for one in attached
    ] or None  # fmt: skip


def images(attached: Sequence[Attached]) -> tuple[Image, ...]:
    """Return the pictures that a model is shown."""
    return tuple(found for one in attached if (found := one.image) is not None)[:MAX_IMAGES]


def _safe(name: str) -> str:
    """Return a file name of letters, digits, dots and hyphens."""
    stem, dot, ending = name.rpartition(".")
    words = re.sub(r"[^A-Za-z0-9_-]+", "-", stem if dot else name).strip("-")[:60] or "file"
    return words + (f".{re.sub('[^A-Za-z0-9]+', '', ending)[:10].lower()}" if dot else "")


def _free(name: str, taken: set[str]) -> str:
    stem, dot, ending = name.partition(".")
    number = 1
    while name in taken:
        number += 1
        name = f"{stem}-{number}{dot}{ending}"
    return name
