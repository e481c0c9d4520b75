"""The edit engine as a runner of answers asks for it: `apply(old, edit, path)`, which raises `Refused`."""

import sys
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).parents[2]))

from core.edits import Edit, Refusal, WholeFile, apply_patch, parse_answer
from core.files import FileTree

NAME = "threadwright"
FORMATS = {"search_replace", "udiff", "v4a", "whole", "lazy"}


class Refused(Exception):
    """The engine refuses; the text says why."""


def apply(old: str, edit: dict[str, Any], path: str) -> str:
    """Return the new text of the file at `path`, which reads `old`."""
    if edit.get("truncated"):
        raise Refused("the provider says that the answer was cut off")
    edits = _edits(edit, path)
    if isinstance(edits, Refusal):
        raise Refused(f"{edits.kind}: {edits.message}")
    done = apply_patch(FileTree({path: old.encode()}), edits)
    if done.refused:
        raise Refused(f"{done.refused[0].kind}: {done.refused[0].message}")
    return done.tree[path].decode()


def _edits(edit: dict[str, Any], path: str) -> tuple[Edit, ...] | Refusal:
    """Return the edits of an answer, wrapped as a role would have wrapped it."""
    text, form = str(edit["text"]), edit["format"]
    if form == "search_replace" and "<<<<<<< SEARCH" not in text:
        blocks = [(one["search"].rstrip("\n"), one["replace"].rstrip("\n")) for one in edit["blocks"]]
        text = "\n".join(f"<<<<<<< SEARCH\n{old}\n=======\n{new}\n>>>>>>> REPLACE" for old, new in blocks)
    if form == "udiff" and "```" not in text:
        if not text.endswith("\n"):
            raise Refused("the diff ends in the middle of a line")
        text = f"```diff\n{text}\n```"
    if form not in ("whole", "lazy"):
        return parse_answer(f"FILE: {path}\n{text}", path)
    # A whole file may come without a fence; one that was opened must be closed.
    found = parse_answer(text, path) if "```" in text else (WholeFile(path, text),)
    if isinstance(found, Refusal):
        return found
    return tuple(WholeFile(path, one.content, edit.get("base")) for one in found if isinstance(one, WholeFile))
