"""How many of the development sets of models' answers are applied, refused, or applied wrongly, and how fast."""

import collections
import gzip
import json
import os
import sys
import time
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

from core.edits import Refusal, Replace, apply_patch, parse_answer
from core.files import FileTree
from tests.benchmarks.edit_adapter import FORMATS, Refused, apply
from tests.needs import missing

pytestmark = pytest.mark.bench
FOLDER = os.environ.get("THREADWRIGHT_EDIT_CASES", "")


def runner() -> ModuleType:
    """Return the module that judges."""
    sys.path.insert(0, FOLDER)
    import runner as found  # type: ignore[import-not-found]

    return found  # type: ignore[no-any-return]


def outcome(case: dict[str, Any]) -> str | None:
    """Return the new text, None for a refusal."""
    try:
        return apply(case["old"], case["edit"], case["path"])
    except Refused:
        return None


@pytest.mark.parametrize("form", sorted(FORMATS))
def test_answers_of_models(form: str) -> None:
    if not FOLDER:
        missing("the development set of edits", "THREADWRIGHT_EDIT_CASES=a folder with cases.jsonl.gz and runner.py")
    judge = runner().judge
    with gzip.open(Path(FOLDER) / "cases.jsonl.gz", "rt", newline="") as lines:
        cases = [case for line in lines if (case := json.loads(line))["edit"]["format"] == form]
    seen = collections.Counter(judge(case, outcome(case)) for case in cases)
    print(f"\n{form}, {len(cases)} cases: {dict(seen.most_common())}")
    assert sum(seen.values()) == len(cases) > 20


def left(case: dict[str, Any]) -> dict[str, str] | None:
    """Return the files that a whole answer leaves, None for a refusal."""
    edits = parse_answer(case["answer"], case["default"])
    if isinstance(edits, Refusal):
        return None
    done = apply_patch(FileTree({path: text.encode() for path, text in case["files"].items()}), edits)
    return None if done.refused else {path: content.decode() for path, content in done.tree.items()}


def judged(case: dict[str, Any]) -> str:
    found = left(case)
    if found is None:
        return "refused where it may" if case["expected"] is None or case["refuse_ok"] else "refused"
    meant = [case["expected"] or case["files"], *case["accept"]]
    return (
        "right"
        if found in [wanted | rest for wanted in meant for rest in (wanted, case["files"] | wanted)]
        else "WRONG"
    )


def test_whole_answers() -> None:
    if not FOLDER:
        missing("the development set of answers", "THREADWRIGHT_EDIT_CASES=a folder with answers.jsonl.gz")
    with gzip.open(Path(FOLDER) / "answers.jsonl.gz", "rt", newline="") as lines:
        seen = collections.Counter(judged(json.loads(line)) for line in lines)
    print(f"\nwhole answers: {dict(seen.most_common())}")
    assert not seen["WRONG"]


@pytest.mark.parametrize("margin", ["", "  "], ids=["exact", "another margin"])
def test_many_edits_of_a_large_file(margin: str) -> None:
    """300 edits beside one: what they cost beyond it is theirs alone."""
    lines = [f"{at} of many lines, with some words in each of them" for at in range(20_000)]
    tree = FileTree({"a.txt": "\n".join(lines).encode()})
    edits = [Replace("a.txt", margin + lines[at], f"{margin}new {at}") for at in range(0, 18_000, 60)]
    took = []
    for some in (edits[:1], edits):
        began = time.perf_counter()
        assert not apply_patch(tree, some).refused
        took.append(time.perf_counter() - began)
    print(f"\n1 edit {took[0] * 1000:.0f} ms, {len(edits)} edits {took[1] * 1000:.0f} ms, {took[1] / took[0]:.0f} x")
