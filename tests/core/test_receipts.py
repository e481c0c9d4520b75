"""A receipt says what was seen and what was not; people get six lines of it."""

import json

from core.findings import CheckResult, Finding
from core.llm.chat import Usage
from core.messages import PreviewState, TurnResult
from core.receipts import SHOWN_LINES, receipt, summary

FINDINGS = (
    Finding("rls", "error", "a.sql", 3, "open", "sql", new=True, waived="Ann"),
    Finding("old", "warning", "b.py", 1, "ugly", "ruff", new=False),
)
CHECKS = (
    CheckResult("syntax", "passed", 0.1),
    CheckResult(
        "tests", "passed", 1.0, note="2 passed, 1 of them failed before", passed=("t::a", "t::b"), proofs=("t::b",)
    ),
    CheckResult("ruff", "passed", 0.1, FINDINGS),
    CheckResult("mypy", "not_run", 0.0, note="missing"),
    CheckResult("own", "failed", 0.0),
)
RESULT = TurnResult(
    "t", "unverified", "Done.", checks=CHECKS, preview=PreviewState("failed", http_status=500, note="it throws"),
    usage=Usage(10, 5, 0.25), model="m", notes=("Not verified: mypy (missing).", "Merged."), seconds=2.5,
)  # fmt: skip


def test_people_get_six_lines() -> None:
    assert summary(RESULT) == (
        "✓ syntax ✓ ruff – mypy ✓ tests ✗ own",
        "Tests: 2 passed, 1 of them failed before",
        "Findings: 0 new, 1 that were there before",
        "Said to be fine by Ann",
        "Preview: HTTP 500 · it throws",
        "Not verified: mypy",
    )
    assert len(summary(RESULT)) == SHOWN_LINES


def test_little_to_say_is_said_in_few_lines() -> None:
    assert summary(TurnResult("t", "done", "Answered.")) == ()
    quiet = TurnResult(
        "t", "done", "", checks=(CheckResult("tests", "passed", 0.1),), preview=PreviewState("ready", http_status=200)
    )
    assert summary(quiet) == ("✓ tests", "Preview: HTTP 200")


def test_the_whole_is_json_below_the_lines() -> None:
    lines, _, body = receipt(RESULT).partition("\n\n")
    assert tuple(lines.split("\n")) == summary(RESULT)
    whole = json.loads(body)
    assert whole["checks"]["tests"]["failed_before"] == ["t::b"]
    assert whole["checks"]["ruff"]["findings"][0]["waived_by"] == "Ann"
    assert (whole["cost_usd"], whole["tokens"], whole["seconds"]) == (0.25, {"input": 10, "output": 5}, 2.5)
    assert whole["not_verified"] == ["Not verified: mypy (missing).", "Not verified: preview (it throws)."]
