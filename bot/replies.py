"""From a turn's result to a message, in no platform's terms."""

import ipaddress
from dataclasses import replace
from urllib.parse import urlsplit

from adapters.preview.live import PATH
from core.findings import blocking
from core.messages import (
    Action,
    Block,
    ChecksTable,
    DiffText,
    Doc,
    Enclosed,
    Files,
    Footer,
    Outcome,
    Para,
    PreviewCard,
    Progress,
    ProgressCard,
    Quote,
    TurnResult,
)  # fmt: skip
from core.receipts import summary
from core.sessions import Session
from core.thread.settings import ACCESS, LISTENING

MARKS: dict[Outcome, str] = {
    "done": "✅", "unverified": "⚠️", "blocked": "⛔", "asked": "❓", "stopped": "⏹️", "dropped": "⏹️",
    "withdrawn": "⏹️", "over_budget": "💰", "failed": "❗",
}  # fmt: skip
NUMBERS = ("1️⃣", "2️⃣", "3️⃣", "4️⃣")
MAX_DIFF_CHARS = 20_000
ONLY_THERE = (
    "The preview's link opens only on the machine that I run on; elsewhere the pictures show the app. "
    "Whoever runs me can give previews an address for everyone: THREADWRIGHT_PREVIEW_URL."
)
RECEIPT = f"{PATH}receipt/"


def reply(result: TurnResult, diff: str, spent_usd: float = 0.0) -> Doc:
    """Return the one reply that ends a turn; `spent_usd` is what the thread has cost by now."""
    blocks: list[Block] = [Para(text) for text in (result.message, *result.notes) if text]
    if result.options:
        blocks.append(Para("\n".join(f"{emoji} {text}" for emoji, text in zip(NUMBERS, result.options, strict=False))))
    if result.preview.state == "ready":
        blocks.append(PreviewCard(result.preview))
    if result.files:
        blocks.append(Files(result.files, result.commit or result.kept, bool(result.kept)))
    if diff:
        blocks += [DiffText(shortened(diff)), Enclosed("diff", result.commit)]
    if result.checks:
        blocks.append(ChecksTable(result.checks, summary(result), receipt_link(result.preview.url, result.commit)))
    blocks.append(Footer(footer(result, spent_usd)))
    return Doc(
        tuple(blocks), MARKS[result.outcome], tuple(Action(verb, _meant(verb, result)) for verb in _verbs(result))
    )


def _meant(verb: str, result: TurnResult) -> str:
    """Return the turn that a button of an answer means, '' for the answer's own."""
    return result.target if verb == "redo" else ""


def receipt_link(preview_url: str, commit: str) -> str:
    """Return where a commit's whole receipt is: behind the preview's gate, so whoever has the preview's link may read it."""
    base, signed, token = preview_url.partition("/?")
    return f"{base}{RECEIPT}{commit}?{token}" if signed and commit else ""


def _verbs(result: TurnResult) -> tuple[str, ...]:
    """Return what can be done about a result."""
    if result.commit:
        return ("diff", "redo" if result.reverses == "undo" else "undo")
    kept = ("diff",) if result.kept else ()
    if result.outcome in ("stopped", "over_budget"):
        return ("continue", *kept)
    if result.options:
        return tuple(f"answer_{number}" for number in range(1, len(result.options) + 1))
    if result.clashed:
        return ("reconcile", "keep_mine", "keep_theirs", *(("sides",) if result.sides else ()))
    if result.reverses:
        return ()
    if result.outcome == "blocked" and blocking(result.checks):
        return ("retry", "waive", *kept)
    return ("retry", *kept) if result.outcome in ("failed", "blocked") else ()


def footer(result: TurnResult, spent_usd: float = 0.0) -> str:
    """Return the small line: model, tokens, cost of the turn and of the thread, context used, time, commit."""
    parts = [result.model] if result.model else []
    tokens = result.usage.input_tokens + result.usage.output_tokens
    if result.model and result.model != "builtin":
        parts += [f"{tokens:,} tokens", f"${result.usage.cost_usd:.2f}"]
        if spent_usd > result.usage.cost_usd:
            parts.append(f"thread ${spent_usd:.2f}")
        if result.context:
            parts.append(f"context {max(1, round(result.context * 100))} %")
    parts.append(f"{result.seconds:.1f} s")
    if result.commit:
        parts.append(result.commit[:10])
    return " · ".join(parts)


def introduced(doc: Doc, session: Session, title: str, owner: str, model: str) -> Doc:
    """Return the first reply of a thread with what holds in it, each changeable with one tap."""
    blocks = [*doc.blocks, *([Para(ONLY_THERE)] if session.key.platform != "local" and _only_there(doc) else [])]
    who, heard = ACCESS[session.access], LISTENING[session.listening]
    line = f"This thread is {title}, started by {owner} and written by {model or 'the builder'}. "
    line += f"It is driven by {who}; I listen to {heard}."
    return replace(doc, blocks=(*blocks, Footer(line)), actions=(*doc.actions, Action("settings")))


def _only_there(doc: Doc) -> bool:
    """Say whether the preview's address leads everybody to their own machine."""
    return any(is_local(one.preview.url) for one in doc.blocks if isinstance(one, PreviewCard))


def is_local(url: str) -> bool:
    """Say whether an address is that of the machine on which it is opened."""
    host = urlsplit(url).hostname or ""
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost" or host.endswith(".localhost")


def progress(state: Progress, seconds: float = 0.0, over: bool = False) -> Doc:
    """Return the card of a running turn, or what stays of it."""
    return Doc((ProgressCard(state, seconds, over),), actions=() if over else (Action("stop"),))


def shortened(diff: str) -> str:
    """Return a diff cut to what a message shows; its last line says so."""
    if len(diff) <= MAX_DIFF_CHARS:
        return diff
    return diff[:MAX_DIFF_CHARS].rsplit("\n", 1)[0] + "\n... (the whole diff is a click away)\n"


def as_text(doc: Doc) -> str:
    """Return a message as plain text, for terminals and logs of people."""
    lines = []
    for block in doc.blocks:
        if isinstance(block, Para | Footer | DiffText):
            lines.append(block.text)
        elif isinstance(block, Quote):
            lines += [f"> {line}" for line in block.text.splitlines()]
        elif isinstance(block, PreviewCard):
            lines.append(f"Preview: {block.preview.url}")
        elif isinstance(block, Files):
            lines += [f"  {one.status:8} {one.path}  +{one.added} -{one.removed}" for one in block.files]
        elif isinstance(block, ChecksTable):
            lines += [f"  {one.status:8} {one.name} ({one.seconds:.1f} s) {one.note}" for one in block.checks]
    return "\n".join(line for line in lines if line)
