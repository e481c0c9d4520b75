"""
From a model's answer to changed files, or a refusal that says why.

`parse.py` reads every answer format into edits: `sections.py` cuts an answer at the files that it names, `diffs.py` and
`json_answers.py` read what others have taught models. Four ways lead from an edit to a place, and each hits once or refuses:

blocks.py      SEARCH and REPLACE: `locate.py` finds the place in tiers, `variants.py` undoes slips in quoting, `near.py`
               bears context that is remembered wrong, `merge.py` puts the difference there and keeps the file's own bytes
whole.py       a whole file, against the version that the model saw
snippets.py    a file with code left out, or a single definition (`definitions.py`); `parts.py`: several things by name
operations.py  an operation on a named thing: `python.py`, `web.py`, `keys.py`

`guard.py` refuses what would drop code that nobody asked to drop. `patch.py` applies all edits of an attempt or none, to
one `document.py` per file, and `languages.py` tells whether more fails to parse than before.
"""

from core.edits.guard import asks_for_removal
from core.edits.model import Delete, Edit, Operation, Refusal, Rename, Replace, WholeFile
from core.edits.parse import parse_answer
from core.edits.patch import Applied, Patched, apply_patch

__all__ = [
    "Applied", "Delete", "Edit", "Operation", "Patched", "Refusal", "Rename", "Replace", "WholeFile", "apply_patch",
    "asks_for_removal",    "parse_answer",
]  # fmt: skip
