"""
From a model's answer to changed files, or a refusal that says why.

`parse.py` reads every answer format into edits, `locate.py` finds the one place an edit means, `variants.py` undoes slips
in quoting and `near.py` bears context that is remembered wrong where that place is not found, `merge.py` puts the delta
there and keeps the file's own bytes, `patch.py` applies all edits of an attempt or none.
"""

from core.edits.model import Delete, Edit, Refusal, Replace, WholeFile
from core.edits.parse import parse_answer
from core.edits.patch import Applied, Patched, apply_patch

__all__ = [
    "Applied", "Delete", "Edit", "Patched", "Refusal", "Replace", "WholeFile", "apply_patch", "parse_answer",
]  # fmt: skip
