"""
A document as Slack shows it: blocks with the evidence, buttons, and the files in a message of their own. Pure.

Limits (Slack's documentation): 50 blocks; a markdown block 12,000 characters, a section 3,000, a context element 2,000,
an actions block 25 elements, a button's text 75, its value 2,000, its url 3,000; all blocks together fail near 13,200
(undocumented: slackapi/bolt-js#2509); text 40,000, of which 4,000 are advised; a modal 100 blocks, its title 24.
"""

import re
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
    split,
    words,
)  # fmt: skip
from core.chat import Form, Outgoing, Part, Picture
from core.messages import Action, DiffText, Doc, ProgressCard
from core.thread.commands import BUTTONS

MAX_TEXT, MAX_SECTION, MAX_CONTEXT, MAX_FALLBACK = 6_500, 2_900, 1_000, 3_900
MAX_BUTTON, MAX_VALUE, MAX_URL, MAX_BUTTONS = 75, 150, 3_000, 10
MAX_RECEIPT_URL = 400
MODAL_PIECES, MAX_TITLE, MAX_OPTION = 20, 24, 75
MAX_ENTRY, MAX_PLACEHOLDER = 3_000, 150
PREFIX = "tw:"
STYLES = {"main": "primary", "good": "primary", "bad": "danger"}


def render(message: Outgoing) -> tuple[Part, ...]:
    """Return the messages that show `message`; none for an empty document."""
    doc = message.doc
    if not doc.blocks:
        return ()
    card = progress_in(doc)
    if card is not None:
        return (Part("main", _progress(card, doc, message)),)
    pieces, overflow = pieces_in(doc, MAX_TEXT, safe, fence="```", rest="_The rest is in the file._")
    before = [Part(f"text-{at}", _body([_markdown(text)], text)) for at, text in enumerate(pieces[:-1])]
    main = _body([_markdown(pieces[-1]), *_evidence(doc), *_actions(doc, message.turn_id), *_footer(doc)], pieces[-1])
    files = (*((Picture("message.txt", overflow.encode()),) if overflow else ()), *message.files)
    enclosed = [Part("files", {"comment": ""}, files)] if files else []
    return (*before, Part("main", main), *enclosed)


def _body(blocks: list[dict[str, Any]], text: str) -> dict[str, Any]:
    # Text is what notifications show, and what is left where blocks cannot be shown.
    return {"text": cut(escape(text), MAX_FALLBACK), "blocks": blocks}


def _progress(card: ProgressCard, doc: Doc, message: Outgoing) -> dict[str, Any]:
    lines = progress_lines(card)
    text = cut(escape("\n".join(lines)), MAX_SECTION)
    if card.over:
        return {**_body([{"type": "context", "elements": [{"type": "mrkdwn", "text": cut(text, MAX_CONTEXT)}]}], text)}
    body = _body([{"type": "section", "text": {"type": "mrkdwn", "text": text}}, *_actions(doc, message.turn_id)], text)
    return {**body, "tasks": tasks(card), "person": message.person}


def tasks(card: ProgressCard) -> list[dict[str, Any]]:
    """Return a card as the task chunks of a native stream."""
    names = [(step, "complete") for step in card.progress.done]
    names.append((card.progress.step, "complete" if card.over else "in_progress"))
    return [
        {"type": "task_update", "id": f"step-{at}", "title": cut(safe(name), 150), "status": status}
        for at, (name, status) in enumerate(names)
    ]


def _markdown(text: str) -> dict[str, Any]:
    return {"type": "markdown", "text": text or " "}


def _evidence(doc: Doc) -> list[dict[str, Any]]:
    """Return sections for the files, the checks and the preview."""
    blocks: list[dict[str, Any]] = []
    head, lines = files_in(doc)
    if head:
        blocks.append(_section(f"*{escape(head)}*\n{_code(lines, MAX_SECTION - 300)}"))
    line, findings = checks_in(doc)
    if line:
        found = f"\n{_code(findings, 1_400)}" if findings else ""
        url = receipt_in(doc)
        whole = f"\n<{escape(url)}|The whole receipt>" if url and len(url) <= MAX_RECEIPT_URL else ""
        blocks.append(_section(f"*Checks*\n{cut(escape(line), 1_000)}{whole}{found}"))
    card = preview_in(doc)
    if card is not None and card.preview.http_status and not line:
        title = f" · “{escape(cut(card.preview.title, 100))}”" if card.preview.title else ""
        blocks.append(_section(f"*Preview*\nHTTP {card.preview.http_status} · {escape(card.preview.runtime)}{title}"))
    return blocks


def _section(text: str) -> dict[str, Any]:
    return {"type": "section", "text": {"type": "mrkdwn", "text": text}}


def _code(lines: list[str], limit: int) -> str:
    return f"```{code(lines, limit, escape)}```"


def _actions(doc: Doc, turn_id: str) -> list[dict[str, Any]]:
    buttons: list[dict[str, Any]] = []
    card = preview_in(doc)
    if card is not None and card.preview.url and len(card.preview.url) <= MAX_URL:
        text = {"type": "plain_text", "text": "Open preview", "emoji": True}
        buttons.append(
            {"type": "button", "action_id": f"{PREFIX}open", "text": text, "url": card.preview.url, "style": "primary"}
        )
    buttons += [_button(action, turn_id) for action in doc.actions[: MAX_BUTTONS - 1]]
    return [{"type": "actions", "elements": buttons}] if buttons else []


def _button(action: Action, turn_id: str) -> dict[str, Any]:
    command = BUTTONS[action.verb]
    label = cut(f"{command.icon} {command.label}".strip(), MAX_BUTTON)
    button: dict[str, Any] = {
        "type": "button", "action_id": f"{PREFIX}{action.verb}", "text": {"type": "plain_text", "text": label, "emoji": True},
        "value": (action.target or turn_id or "-")[:MAX_VALUE],
    }  # fmt: skip
    return button | ({"style": STYLES[command.style]} if command.style else {})


def _footer(doc: Doc) -> list[dict[str, Any]]:
    text = footer_in(doc)
    return (
        [{"type": "context", "elements": [{"type": "mrkdwn", "text": cut(escape(text), MAX_CONTEXT)}]}] if text else []
    )


def escape(text: str) -> str:
    """Return text for mrkdwn: nothing in it is a mention or a link."""
    return text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")


def safe(text: str) -> str:
    """Return text for a markdown block: nothing in it calls people."""
    return re.sub(r"<(?=[!@#])", "<\u200b", re.sub(r"@(?=(?:channel|here|everyone)\b)", "@\u200b", text))


def form_view(form: Form, where: str) -> dict[str, Any]:
    """Return a form as a modal; `where` comes back with it."""
    pieces = [*split(form.about, MAX_SECTION - 100), *split(form.quoted, MAX_SECTION - 100)][:MODAL_PIECES]
    # Plain text: nothing in it is formatted or linked.
    blocks: list[dict[str, Any]] = [
        {"type": "section", "text": {"type": "plain_text", "text": piece, "emoji": False}} for piece in pieces
    ]
    for choice in form.choices:
        options = {
            value: {"text": {"type": "plain_text", "text": cut(label, MAX_OPTION)}, "value": value}
            for value, label in choice.values.items()
        }
        select = {"type": "static_select", "action_id": choice.name, "options": list(options.values()),
                  "initial_option": options[choice.chosen]}  # fmt: skip
        label = {"type": "plain_text", "text": choice.label}
        blocks.append({"type": "input", "block_id": choice.name, "label": label, "element": select})
    for entry in form.entries:
        field = {"type": "plain_text_input", "action_id": entry.name, "multiline": entry.lines, "max_length": MAX_ENTRY,
                 "placeholder": {"type": "plain_text", "text": cut(entry.hint, MAX_PLACEHOLDER)}}  # fmt: skip
        label = {"type": "plain_text", "text": entry.label}
        blocks.append({"type": "input", "block_id": entry.name, "label": label, "element": field, "optional": True})
    return {
        "type": "modal", "callback_id": f"{PREFIX}{form.verb}", "private_metadata": where, "blocks": blocks,
        "title": {"type": "plain_text", "text": cut(form.title, MAX_TITLE)},
        "submit": {"type": "plain_text", "text": form.submit}, "close": {"type": "plain_text", "text": "Cancel"},
    }  # fmt: skip


def diff_view(doc: Doc) -> dict[str, Any] | None:
    """Return a diff as a modal, None for a document without one."""
    diff = next((one.text for one in doc.blocks if isinstance(one, DiffText)), "")
    if not diff:
        return None
    pieces = [_section(f"```{piece}```") for piece in _in_sections(diff)[:MODAL_PIECES]]
    head, lines = files_in(doc)
    top = _section(f"*{escape(words(doc)[:500])}*\n{escape(head)}\n{_code(lines, 1_500)}")
    return {
        "type": "modal", "callback_id": f"{PREFIX}seen", "title": {"type": "plain_text", "text": "Diff"},
        "close": {"type": "plain_text", "text": "Close"}, "blocks": [top, *_actions(doc, ""), *pieces],
    }  # fmt: skip


def _in_sections(diff: str) -> list[str]:
    """Return a diff in pieces that fit into sections, cut between lines; its own fences are made harmless."""
    pieces: list[str] = []
    current = ""
    for line in diff.replace("```", "` ` `").splitlines():
        line = escape(cut(line, 400)) + "\n"
        if current and len(current) + len(line) > MAX_SECTION - 10:
            pieces.append(current)
            current = ""
        current += line
    return [*pieces, current] if current else pieces


def home_view(threads: list[tuple[str, str, str]]) -> dict[str, Any]:
    """Return App Home: a person's threads as (title, link to the thread, link to the preview)."""
    blocks: list[dict[str, Any]] = [
        {"type": "header", "text": {"type": "plain_text", "text": "Your threads"}},
        _section("Say `/build` and what you would like to have, or mention me in a channel."),
    ]
    for title, link, preview in threads[:40]:
        block = _section(f"*<{link}|{escape(cut(title, 150))}>*")
        if preview and len(preview) <= MAX_URL:
            text = {"type": "plain_text", "text": "Open preview"}
            block["accessory"] = {"type": "button", "action_id": f"{PREFIX}open", "text": text, "url": preview}
        blocks.append(block)
    return {"type": "home", "blocks": blocks}
