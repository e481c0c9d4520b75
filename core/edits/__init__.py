"""
From a model's answer to changed files, or a refusal that says why.

`parse.py` and `json_answers.py` read every answer format into edits. Four ways lead from an edit to a place, and each of
them hits once or refuses:

blocks.py      SEARCH and REPLACE: `locate.py` finds the place in tiers, `variants.py` undoes slips in quoting, `near.py`
               bears context that is remembered wrong, `merge.py` puts the difference there and keeps the file's own bytes
whole.py       a whole file, against the version that the model saw
snippets.py    a file with code left out, or a single definition (`definitions.py`)
operations.py  an operation on a named thing: `python.py`, `web.py`, `keys.py`

`patch.py` applies all edits of an attempt or none, and `languages.py` tells whether more fails to parse than before.
"""

from core.edits.model import Delete, Edit, Operation, Refusal, Rename, Replace, WholeFile
from core.edits.parse import parse_answer
from core.edits.patch import Applied, Patched, apply_patch

__all__ = [
    "Applied", "Delete", "Edit", "Operation", "Patched", "Refusal", "Rename", "Replace", "WholeFile", "apply_patch",
    "parse_answer",
]  # fmt: skip
