"""
A document as Discord shows it: text, one embed with the evidence, buttons, files. Pure, and within every limit.

Limits (Discord's documentation, August 2026): 2,000 characters of content; 10 embeds with 6,000 characters in all, a
field's value 1,024, a description 4,096, a footer 2,048; 10 files of 10 MiB; 5 rows of 5 buttons, label 80, custom_id
100; thread names 1-100.
"""

from typing import Any

from adapters.chat.text import (
    checks_in,
    code,
    cut,
    files_in,
    footer_in,
    pieces_in,
    preview_in,
    progress_in,
    progress_lines,
    receipt_in,
)  # fmt: skip
from core.chat import Outgoing, Part, Picture
from core.messages import Action, Doc
from core.thread.commands import BUTTONS

MAX_CONTENT, MAX_LABEL, MAX_ID, MAX_URL = 2_000, 80, 100, 512
MAX_FIELD, MAX_FOOTER, MAX_BUTTONS = 1_024, 300, 20
MAX_RECEIPT_URL = 300
MAX_FILES, MAX_FILE_BYTES = 10, 10 * 1024 * 1024
COLOURS = {"✅": 0x2DA44E, "⚠️": 0xD4A72C, "⛔": 0xCF222E, "❗": 0xCF222E, "❓": 0x0969DA, "💰": 0xD4A72C}
PRIMARY, SECONDARY, SUCCESS, DANGER, LINK = 1, 2, 3, 4, 5
STYLES = {"": SECONDARY, "main": PRIMARY, "good": SUCCESS, "bad": DANGER}


def render(message: Outgoing) -> tuple[Part, ...]:
    """Return the messages that show `message`; none for an empty document."""
    doc = message.doc
    if not doc.blocks:
        return ()
    card = progress_in(doc)
    if card is not None:
        text = "\n".join(f"-# {line}" if card.over else line for line in progress_lines(card))
        body = {"content": cut(_safe(text), MAX_CONTENT), "embeds": [], "components": _buttons(doc, message.turn_id)}
        return (Part("main", body),)
    pieces, overflow = pieces_in(doc, MAX_CONTENT, _safe, fence="```diff", rest="*The rest is in the file.*")
    files = _files(message.files, overflow)
    first = {
        "content": pieces[0], "embeds": _embeds(doc, files), "components": _buttons(doc, message.turn_id),
    }  # fmt: skip
    # What follows the first piece comes before the evidence: people read downwards.
    if len(pieces) == 1:
        return (Part("main", first, files),)
    before = [
        Part(f"text-{at}", {"content": text, "embeds": [], "components": []}) for at, text in enumerate(pieces[:-1])
    ]
    return (*before, Part("main", {**first, "content": pieces[-1]}, files))


def _files(files: tuple[Picture, ...], overflow: str) -> tuple[Picture, ...]:
    extra = (Picture("message.txt", overflow.encode()),) if overflow else ()
    fitting = [one for one in (*extra, *files) if len(one.content) <= MAX_FILE_BYTES]
    return tuple(fitting[:MAX_FILES])


def _embeds(doc: Doc, files: tuple[Picture, ...]) -> list[dict[str, Any]]:
    """Return one embed with the evidence, none where there is none."""
    embed: dict[str, Any] = {}
    fields = []
    head, lines = files_in(doc)
    if head:
        fields.append({"name": cut(head, 256), "value": _block(lines, MAX_FIELD), "inline": False})
    line, findings = checks_in(doc)
    if line:
        url = receipt_in(doc)
        whole = f"\n[The whole receipt]({url})" if url and len(url) <= MAX_RECEIPT_URL else ""
        room = MAX_FIELD - len(whole)
        value = cut(_safe(line), room - 420 if findings else room) + whole
        value += "\n" + _block(findings, 400) if findings else ""
        fields.append({"name": "Checks", "value": cut(value, MAX_FIELD), "inline": False})
    card = preview_in(doc)
    if card is not None and card.preview.http_status and not line:
        seen = f"HTTP {card.preview.http_status} · {card.preview.runtime}"
        title = f" · “{cut(_safe(card.preview.title), 100)}”" if card.preview.title else ""
        fields.append({"name": "Preview", "value": seen + title, "inline": False})
    if fields:
        embed["fields"] = fields
    if footer := footer_in(doc):
        embed["footer"] = {"text": cut(footer, MAX_FOOTER)}
    if any(one.name == "preview.png" for one in files):
        embed["image"] = {"url": "attachment://preview.png"}
    if not embed:
        return []
    return [{"type": "rich", "color": COLOURS.get(doc.mark, 0x6E7781), **embed}]


def _block(lines: list[str], limit: int) -> str:
    return f"```\n{code(lines, limit)}\n```"


def _buttons(doc: Doc, turn_id: str) -> list[dict[str, Any]]:
    """Return rows of buttons: the preview's link, then what can be done."""
    buttons: list[dict[str, Any]] = []
    card = preview_in(doc)
    if card is not None and card.preview.url and len(card.preview.url) <= MAX_URL:
        buttons.append({"type": 2, "style": LINK, "label": "Open preview", "url": card.preview.url})
    buttons += [_button(action, turn_id) for action in doc.actions[: MAX_BUTTONS - 1]]
    return [{"type": 1, "components": buttons[at : at + 5]} for at in range(0, len(buttons), 5)]


def _button(action: Action, turn_id: str) -> dict[str, Any]:
    command = BUTTONS[action.verb]
    button: dict[str, Any] = {
        "type": 2, "style": STYLES[command.style], "label": cut(command.label, MAX_LABEL),
        "custom_id": f"{action.verb}:{action.target or turn_id}"[:MAX_ID],
    }  # fmt: skip
    return button | ({"emoji": {"name": command.icon}} if command.icon else {})


def _safe(text: str) -> str:
    """Keep text from calling people; the request forbids mentions as well."""
    return text.replace("@everyone", "@\u200beveryone").replace("@here", "@\u200bhere")


def thread_name(title: str) -> str:
    """Return a name that a thread may have."""
    return cut(" ".join(title.split()), 100) or "New app"
