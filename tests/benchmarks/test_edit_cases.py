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
