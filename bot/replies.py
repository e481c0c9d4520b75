"""From a turn's result to a message, in no platform's terms."""

from core.messages import (
    Block,
    ChecksTable,
    DiffText,
    Doc,
    Files,
    Footer,
    Outcome,
    Para,
    PreviewCard,
    Progress,
    ProgressCard,
    TurnResult,
)  # fmt: skip

MARKS: dict[Outcome, str] = {
    "done": "✅", "unverified": "⚠️", "blocked": "⛔", "asked": "❓", "stopped": "⏹️", "over_budget": "💰", "failed": "❗",
}  # fmt: skip
MAX_DIFF_CHARS = 20_000


def reply(result: TurnResult, diff: str) -> Doc:
    """Return the one reply that ends a turn."""
    blocks: list[Block] = [Para(text) for text in (result.message, *result.notes) if text]
    if result.preview.state == "ready":
        blocks.append(PreviewCard(result.preview))
    if result.files:
        blocks.append(Files(result.files, result.commit))
    if diff:
        blocks.append(DiffText(_shortened(diff)))
    if result.checks:
        blocks.append(ChecksTable(result.checks))
    blocks.append(Footer(footer(result)))
    actions = ("undo", "redo") if result.commit else ()
    return Doc(tuple(blocks), MARKS[result.outcome], actions)


def footer(result: TurnResult) -> str:
    """Return the small line: model, tokens, cost, time, commit."""
    parts = [result.model] if result.model else []
    tokens = result.usage.input_tokens + result.usage.output_tokens
    if result.model and result.model != "builtin":
        parts += [f"{tokens:,} tokens", f"${result.usage.cost_usd:.2f}"]
    parts.append(f"{result.seconds:.1f} s")
    if result.commit:
        parts.append(result.commit[:10])
    return " · ".join(parts)


def progress(state: Progress) -> Doc:
    """Return the card of a running turn."""
    return Doc((ProgressCard(state),))


def _shortened(diff: str) -> str:
    if len(diff) <= MAX_DIFF_CHARS:
        return diff
    return diff[:MAX_DIFF_CHARS].rsplit("\n", 1)[0] + "\n... (the whole diff is a click away)\n"


def as_text(doc: Doc) -> str:
    """Return a message as plain text, for terminals and logs of people."""
    lines = []
    for block in doc.blocks:
        if isinstance(block, Para | Footer | DiffText):
            lines.append(block.text)
        elif isinstance(block, PreviewCard):
            lines.append(f"Preview: {block.preview.url}")
        elif isinstance(block, Files):
            lines += [f"  {one.status:8} {one.path}  +{one.added} -{one.removed}" for one in block.files]
        elif isinstance(block, ChecksTable):
            lines += [f"  {one.status:8} {one.name} ({one.seconds:.1f} s) {one.note}" for one in block.checks]
    return "\n".join(line for line in lines if line)
