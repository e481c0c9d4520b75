"""What every renderer needs: cutting long text, and the same words for files, checks and progress."""

import re
from collections.abc import Callable, Iterable

from core.findings import CheckResult
from core.messages import ChecksTable, DiffText, Doc, FileChange, Files, Footer, Para, PreviewCard, ProgressCard, Quote

FENCE = "```"
MOST_PIECES = 4
CHECK_MARKS = {"passed": "✅", "failed": "❌", "not_run": "➖"}
MOST_FILES = 12
MOST_FINDINGS = 8


def split(text: str, limit: int) -> list[str]:
    """
    Return `text` in pieces of at most `limit` characters, cut at lines, or else at words, where that is possible.

    A code fence that is open at a cut is closed there, and opened again in the next piece.
    """
    pieces: list[str] = []
    fence = ""
    rest = text
    while rest:
        room = limit - len(fence) - len(FENCE) - 2
        prefix = f"{fence}\n" if fence else ""
        if len(prefix) + len(rest) <= limit:
            pieces.append(prefix + rest)
            break
        at = next((at for end in "\n " if (at := rest.rfind(end, room // 2, room)) > 0), room)
        piece, rest = rest[:at], rest[at:].removeprefix("\n")
        fence = _open_fence(prefix + piece)
        pieces.append(prefix + piece + (f"\n{FENCE}" if fence else ""))
    return pieces


def _open_fence(text: str) -> str:
    """Return the fence that is open at the end of `text`, with its language, '' when none is."""
    fence = ""
    for line in text.splitlines():
        if line.startswith(FENCE):
            fence = "" if fence else line[:20]
    return fence


def cut(text: str, limit: int) -> str:
    """Return `text`, shortened with an ellipsis if it is too long."""
    return text if len(text) <= limit else text[: limit - 1] + "…"


def pieces_in(doc: Doc, limit: int, safe: Callable[[str], str], *, fence: str, rest: str) -> tuple[list[str], str]:
    """
    Return what a message says in pieces of at most `limit` characters, and the whole of it if that is too much.

    A diff that comes without evidence is what the message is about, and is shown where it fits; `fence` opens it.
    `rest` is the sentence that leads to the file with the whole.
    """
    said = words(doc)
    card = preview_in(doc)
    seen = card is not None and card.preview.http_status
    alone = "" if seen else next((one.text for one in doc.blocks if isinstance(one, DiffText)), "")
    text = f"{doc.mark} {safe(said)}".strip()
    if alone and len(text) + len(alone) < limit - 100:
        text += f"\n{fence}\n{harmless(safe(alone))}\n{FENCE}"
    pieces = split(text, limit) or [doc.mark or "…"]
    if len(pieces) <= MOST_PIECES:
        return pieces, ""
    return [f"{cut(pieces[0], limit - len(rest) - 1)}\n{rest}"], said


def code(lines: Iterable[str], limit: int, escape: Callable[[str], str] = str) -> str:
    """Return as many lines as fit into `limit` characters, for a code block."""
    kept: list[str] = []
    for line in lines:
        line = escape(harmless(line))
        if sum(len(one) + 1 for one in kept) + len(line) > limit - 12:
            break
        kept.append(line)
    return "\n".join(kept or ["…"])


def words(doc: Doc) -> str:
    """Return what a message says in sentences."""
    return "\n".join(
        fenced(block.text) if isinstance(block, Quote) else block.text
        for block in doc.blocks
        if isinstance(block, Para | Quote) and block.text
    )


def fenced(text: str) -> str:
    """Return a person's words as a code block, in which nothing is formatted or linked."""
    return f"{FENCE}\n{harmless(text)}\n{FENCE}"


def harmless(text: str) -> str:
    """Return a text that ends no code block: backticks in a row stand apart."""
    return re.sub(r"`{2,}", lambda match: " ".join(match[0]), text)


def files_in(doc: Doc) -> tuple[str, list[str]]:
    """Return a headline and a line for each changed file."""
    block = next((one for one in doc.blocks if isinstance(one, Files)), None)
    if block is None:
        return "", []
    added, removed = sum(file.added for file in block.files), sum(file.removed for file in block.files)
    what = "kept beside the app" if block.kept else "changed"
    head = f"{len(block.files)} file{'s' * (len(block.files) != 1)} {what} · +{added} −{removed}"
    lines = [_file(file) for file in block.files[:MOST_FILES]]
    if len(block.files) > MOST_FILES:
        lines.append(f"… {len(block.files) - MOST_FILES} more")
    return head, lines


def _file(file: FileChange) -> str:
    sign = {"added": "A", "changed": "M", "removed": "D", "renamed": "R"}[file.status]
    name = f"{file.old_path} → {file.path}" if file.old_path and file.old_path != file.path else file.path
    return f"{sign} {cut(name, 80)}  +{file.added} −{file.removed}"


def checks_in(doc: Doc) -> tuple[str, list[str]]:
    """Return the receipt's lines, or all checks on one line; and a line for each new error."""
    block = next((one for one in doc.blocks if isinstance(one, ChecksTable)), None)
    if block is None:
        return "", []
    line = "\n".join(block.lines) or " · ".join(_check(check) for check in block.checks)
    found = [one for check in block.checks for one in check.findings if one.new and one.level == "error"]
    lines = [f"{cut(one.path, 80)}:{one.line} {cut(one.message, 160)}" for one in found[:MOST_FINDINGS]]
    return line, lines + ([f"… {len(found) - MOST_FINDINGS} more"] if len(found) > MOST_FINDINGS else [])


def _check(check: CheckResult) -> str:
    note = f" ({cut(check.note, 60)})" if check.note else ""
    return f"{CHECK_MARKS[check.status]} {check.name}{note}"


def preview_in(doc: Doc) -> PreviewCard | None:
    """Return the preview of a message."""
    return next((one for one in doc.blocks if isinstance(one, PreviewCard)), None)


def receipt_in(doc: Doc) -> str:
    """Return where the whole receipt is, '' when the message shows none."""
    return next((one.url for one in doc.blocks if isinstance(one, ChecksTable)), "")


def footer_in(doc: Doc) -> str:
    """Return the small print of a message."""
    return " · ".join(one.text for one in doc.blocks if isinstance(one, Footer))


def progress_in(doc: Doc) -> ProgressCard | None:
    """Return the card of a running turn."""
    return next((one for one in doc.blocks if isinstance(one, ProgressCard)), None)


def progress_lines(card: ProgressCard) -> list[str]:
    """Return a card in lines: what is done, what is going on, what it took."""
    state = card.progress
    if card.over:
        return [f"{' → '.join([*state.done, state.step])} · {card.seconds:.0f} s"]
    spent = state.usage.input_tokens + state.usage.output_tokens
    cost = f" · ${state.usage.cost_usd:.2f}" if state.usage.cost_usd else f" · {spent:,} tokens" if spent else ""
    lines = [*(f"✓ {step}" for step in state.done), f"⏳ {state.step} · {card.seconds:.0f} s{cost}"]
    return [*lines, *_now(state.files)]


def _now(files: Iterable[str]) -> list[str]:
    names = ", ".join(files)
    return [cut(names, 300)] if names else []
