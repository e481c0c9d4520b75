"""How many of a development set of models' answers are applied, refused, or applied wrongly."""

import collections
import gzip
import json
import os
import sys
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

from core.edits import Refusal, WholeFile, apply_patch, parse_answer
from core.files import FileTree
from tests.needs import missing

pytestmark = pytest.mark.bench
FOLDER = os.environ.get("THREADWRIGHT_EDIT_CASES", "")


def answer_of(edit: dict[str, Any]) -> str:
    """Return a case's answer in the form that roles answer in."""
    text = str(edit["text"])
    if edit["format"] == "search_replace" and "<<<<<<< SEARCH" not in text:
        blocks = [(one["search"].rstrip("\n"), one["replace"].rstrip("\n")) for one in edit["blocks"]]
        return "\n".join(f"<<<<<<< SEARCH\n{old}\n=======\n{new}\n>>>>>>> REPLACE" for old, new in blocks)
    return f"```diff\n{text}\n```" if edit["format"] == "udiff" and "```" not in text else text


def apply(old: str, edit: dict[str, Any], path: str) -> str | None:
    """Return the new text, None for a refusal."""
    if edit.get("truncated"):
        # An answer that its provider says is cut off never comes this far.
        return None
    answer = answer_of(edit)
    if edit["format"] == "whole" and "```" not in answer:
        parsed: Any = (WholeFile(path, answer),)
    else:
        parsed = parse_answer(f"FILE: {path}\n{answer}", path)
    if isinstance(parsed, Refusal):
        return None
    done = apply_patch(FileTree({path: old.encode()}), parsed)
    return None if done.refused else done.tree[path].decode()


def runner() -> ModuleType:
    """Return the module that judges."""
    sys.path.insert(0, FOLDER)
    import runner as found  # type: ignore[import-not-found]

    return found  # type: ignore[no-any-return]


@pytest.mark.parametrize("form", ["search_replace", "udiff", "v4a"])
def test_answers_of_models(form: str) -> None:
    if not FOLDER:
        missing("the development set of edits", "THREADWRIGHT_EDIT_CASES=a folder with cases.jsonl.gz and runner.py")
    judge = runner().judge
    with gzip.open(Path(FOLDER) / "cases.jsonl.gz", "rt") as lines:
        cases = [case for line in lines if (case := json.loads(line))["edit"]["format"] == form]
    seen = collections.Counter(judge(case, apply(case["old"], case["edit"], case["path"])) for case in cases)
    print(f"\n{form}, {len(cases)} cases: {dict(seen.most_common())}")
    assert sum(seen.values()) == len(cases) > 20
