"""Which file a block is: whether its path was a slip, or its content is that of another file of the tree."""

import re

from core.edits.languages import ending
from core.edits.model import Refusal, WholeFile
from core.files import FileTree

_SAME_ENDINGS = (("yml", "yaml"), ("htm", "html"), ("md", "markdown"), ("jpg", "jpeg"))
TELLING_CHARS, FEWEST_SHARED = 8, 3
"""How long the lines are that tell whether two files are one, and how many of them a block must have."""
MOST_COMPARED, MOST_KIN = 100_000, 300
"""Larger files, in bytes, and more of a kind than this, are not compared."""


class Lines:
    """The telling lines of a tree's files, each read once."""

    def __init__(self, tree: FileTree) -> None:
        self.tree, self._known = tree, dict[str, set[str]]()

    def of(self, path: str) -> set[str]:
        """Return those of a file; none of one that is missing, large or binary."""
        if path not in self._known:
            content = self.tree.get(path) or b""
            self._known[path] = _telling(content.decode("utf-8", "replace")) if len(content) <= MOST_COMPARED else set()
        return self._known[path]

    def kin(self, path: str) -> list[str]:
        """Return the other files of the same kind, as many as can be compared in no time."""
        return [other for other in self.tree if other != path and ending(other) == ending(path)][:MOST_KIN]


def mixed_up(edit: WholeFile, lines_of: Lines, request: str) -> Refusal | None:
    """Refuse a whole file that is another one, by its path or by what stands in it."""
    return _of_another(edit, lines_of, request) if edit.path in lines_of.tree else _of_a_slip(edit, lines_of)


def _of_a_slip(edit: WholeFile, lines_of: Lines) -> Refusal | None:
    """Refuse a new file that is mostly one that the tree has at a longer or shorter path: the path was a slip."""
    said = _telling(edit.content)
    for path in lines_of.tree:
        if not _is_slip(edit.path, path):
            continue
        if len(said) >= FEWEST_SHARED and len(said & lines_of.of(path)) * 2 > len(said):
            return Refusal(
                "missing_file", edit.path,
                f"{edit.path} does not exist, and what stands in its block is {path} with a few changes; write {path}, or a "
                "file that differs from it.",
            )  # fmt: skip
    return None


def _of_another(edit: WholeFile, lines_of: Lines, request: str) -> Refusal | None:
    """Refuse a file that has more of what only another file of its kind has than of what only it has itself."""
    mine, said = lines_of.of(edit.path), _telling(edit.content)
    if not mine:
        return None
    for path in lines_of.kin(edit.path):
        if _is_named(path, request):
            continue
        theirs = lines_of.of(path)
        of_it, of_me = len(said & theirs - mine), len(said & mine - theirs)
        if of_it >= FEWEST_SHARED and of_it > 2 * of_me and of_it * 2 > len(theirs - mine):
            return Refusal(
                "no_edit", edit.path,
                f"What stands in the block for {edit.path} is {path}, with a few changes; write what {edit.path} is to be.",
            )  # fmt: skip
    return None


def _is_named(path: str, request: str) -> bool:
    """Say whether a request names a file: “as in about.html”, “like production”."""
    stem = path.rpartition("/")[2].partition(".")[0]
    return bool(stem) and re.search(rf"(?<!\w){re.escape(stem)}(?!\w)", request, re.I) is not None


def _telling(text: str) -> set[str]:
    return {line.strip() for line in text.split("\n") if len(line.strip()) >= TELLING_CHARS}


def _is_slip(said: str, path: str) -> bool:
    """Say whether a path is another one with more or less in front, one letter in a folder, or the other ending of its kind."""
    if path.endswith(f"/{said}") or ("/" in path and said.endswith(f"/{path}")):
        return True
    stem, _, kind = said.rpartition(".")
    if any(path == f"{stem}.{other}" for group in _SAME_ENDINGS if kind in group for other in group):
        return True
    parts, others = said.split("/"), path.split("/")
    differing = [(one, two) for one, two in zip(parts, others, strict=False) if one != two]
    return (
        len(parts) == len(others) and parts[-1] == others[-1] and len(differing) == 1
        and (differing[0][0].rstrip("s") == differing[0][1].rstrip("s") or sorted(differing[0][0]) == sorted(differing[0][1]))
    )  # fmt: skip
