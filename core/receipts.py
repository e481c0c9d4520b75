"""The receipt of a commit: what was seen of it, and what was not. People get six lines, a git note has the whole."""

import json
from collections.abc import Iterator, Sequence

from core.findings import MARKS, CheckResult
from core.messages import PreviewState, TurnResult

GROUPS = {
    "code": ("syntax", "packages", "imports", "ruff", "oxlint"),
    "types": ("mypy", "tsc"),
    "security": ("bandit", "secrets", "markup", "sql"),
    "pages": ("pages",),
    "tests": ("test-worth", "tests", "vitest", "build"),
}
SHOWN_LINES = 6


def summary(result: TurnResult) -> tuple[str, ...]:
    """Return at most six lines for people."""
    return tuple(" ".join(line.split()) for line in _lines(result))[:SHOWN_LINES]


def _lines(result: TurnResult) -> Iterator[str]:
    by_name = {check.name: check for check in result.checks}
    named = {name for names in GROUPS.values() for name in names}
    clean = [_check(by_name[name]) for names in GROUPS.values() for name in names if name in by_name]
    others = [_check(check) for check in result.checks if check.name not in named]
    if clean or others:
        yield " ".join([*clean, *others])
    tests = by_name.get("tests")
    if tests is not None and tests.note:
        yield f"Tests: {tests.note}"
    old = sum(not one.new for check in result.checks for one in check.findings)
    fresh = sum(one.new and not one.waived for check in result.checks for one in check.findings)
    if old or fresh:
        yield f"Findings: {fresh} new, {old} that were there before"
    if waived := sorted({one.waived for check in result.checks for one in check.findings if one.waived}):
        yield f"Said to be fine by {', '.join(waived)}"
    if result.preview.state != "off":
        yield _preview(result.preview)
    if unseen := [check.name for check in result.checks if check.status == "not_run"]:
        yield f"Not verified: {', '.join(unseen)}"


def not_verified(checks: Sequence[CheckResult], preview: PreviewState) -> list[str]:
    """Return what nobody has seen to work, a sentence each."""
    unseen = [f"{check.name} ({check.note})" for check in checks if check.status == "not_run"]
    if preview.state != "ready":
        unseen.append(f"preview ({preview.note})")
    elif preview.problems:
        unseen.append(f"the page works, but {'; '.join(preview.problems[:3])}")
    if not checks:
        unseen.append("no check was run")
    return [f"Not verified: {what}." for what in unseen]


def _preview(preview: PreviewState) -> str:
    answered = f"HTTP {preview.http_status}" if preview.http_status else preview.state
    title = f"“{preview.title}”" if preview.title else ""
    note = "; ".join([preview.note, *preview.problems]).strip("; ") or ("console clean" if preview.screenshot else "")
    return "Preview: " + " · ".join(part for part in (answered, preview.runtime, title, note) if part)


def _check(check: CheckResult) -> str:
    return f"{MARKS[check.status]} {check.name}"


def receipt(result: TurnResult) -> str:
    """Return the whole record, as it stands in the commit's git note: the lines for people, then everything as JSON."""
    whole = {
        "outcome": result.outcome,
        "checks": {
            check.name: {
                "status": check.status, "seconds": check.seconds, "note": check.note,
                "passed": list(check.passed), "failed_before": list(check.proofs),
                "findings": [
                    {"rule": one.rule, "level": one.level, "path": one.path, "line": one.line, "message": one.message,
                     "new": one.new, "waived_by": one.waived}
                    for one in check.findings
                ],
            }
            for check in result.checks
        },
        "preview": {
            "state": result.preview.state, "http_status": result.preview.http_status, "runtime": result.preview.runtime,
            "title": result.preview.title, "note": result.preview.note, "problems": list(result.preview.problems),
        },
        "model": result.model,
        "tokens": {"input": result.usage.input_tokens, "output": result.usage.output_tokens},
        "cost_usd": round(result.usage.cost_usd, 6),
        "seconds": round(result.seconds, 3),
        "not_verified": not_verified(result.checks, result.preview),
    }  # fmt: skip
    return "\n".join([*summary(result), "", json.dumps(whole, indent=1, ensure_ascii=False)]) + "\n"
