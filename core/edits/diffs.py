"""Unified diffs, git's among them, and the patch form `*** Update File:`; numbers need not be right."""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

from core.edits.model import Delete, Edit, Rename, Replace, WholeFile
from core.edits.sections import FENCE, tidy

_PATCHED = re.compile(r"^\*\*\* (?P<verb>Update|Add|Delete) File:\s*(?P<path>\S.*)$")
_MOVED = re.compile(r"^\*\*\* Move to:\s*(?P<path>\S.*)$")
_PATCH_LINE = re.compile(r"^\*\*\* (?:Begin Patch|End Patch|End of File)\s*$")
_BEGIN_PATCH = re.compile(r"^\*\*\* Begin Patch\s*$")
_END_PATCH = re.compile(r"^\*\*\* End Patch\s*$")
_NUMBERS = re.compile(r"^@@\s*-(?P<old>\d{1,7})(?:,\d{1,7})?\s+\+(?P<new>\d{1,7})(?:,\d{1,7})?\s*@@(?P<within>.*)$")
_ABSENT = "/dev/null"


@dataclass
class FileDiff:
    """The part of a diff that is about one file."""

    old: str = ""
    new: str = ""
    renamed: bool = False
    body: list[str] = field(default_factory=list)


def is_diff(lines: Sequence[str]) -> bool:
    """Say whether lines begin as a unified diff does."""
    said = [line for line in lines if line.strip()][:3]
    return bool(said) and (said[0].startswith("diff --git ") or bool(_NUMBERS.match(said[0])) or _names_files(said, 0))


def diff_edits(lines: Sequence[str], path: str, named: bool) -> list[Edit]:
    """
    Return the edits of a unified diff. Its own file names count; `path` is meant where they end it, or where it has none.

    `named` says that the answer itself gave `path`, above the diff.
    """
    edits: list[Edit] = []
    for part in _files(lines):
        old, new = _meant(part.old, path, named), _meant(part.new, path, named)
        if part.new == _ABSENT:
            edits.append(Delete(old))
        elif part.old == _ABSENT:
            edits.append(WholeFile(new, "".join(f"{line[1:]}\n" for line in part.body if line.startswith("+"))))
        else:
            edits += hunks(old, part.body)
            if part.renamed or (old != new and part.old and part.new):
                edits.append(Rename(old, new))
    return edits


def _meant(said: str, path: str, named: bool) -> str:
    """Return the path that a diff's header means."""
    if not said or said == _ABSENT or path.endswith(f"/{said}"):
        return path
    # Answers about one file often name it by another folder, or not at all: what the answer says above the diff counts.
    return path if named and said.rpartition("/")[2] == path.rpartition("/")[2] else said


def _names_files(lines: Sequence[str], at: int) -> bool:
    return lines[at].startswith("--- ") and at + 1 < len(lines) and lines[at + 1].startswith("+++ ")


def _files(lines: Sequence[str]) -> list[FileDiff]:
    """Cut a diff at its headers. A removed line that begins with `-- ` looks like one, but no `+++ ` and `@@` follow it."""
    found, at, git = [FileDiff()], 0, False
    while at < len(lines):
        line = lines[at]
        if line.startswith("diff --git "):
            old, _, new = line.removeprefix("diff --git ").partition(" b/")
            found.append(FileDiff(_path(old), new.strip()))
            git = True
        elif _names_files(lines, at) and (git or not found[-1].body or _opens_hunk(lines, at + 2)):
            if not git:
                found.append(FileDiff())
            found[-1].old, found[-1].new = _path(line[4:]), _path(lines[at + 1][4:])
            at, git = at + 1, False
        elif git and not line.startswith("@@"):
            if line.startswith(("rename from ", "rename to ")):
                found[-1].renamed = True
            elif line.startswith("new file mode"):
                found[-1].old = _ABSENT
            elif line.startswith("deleted file mode"):
                found[-1].new = _ABSENT
        else:
            git = False
            found[-1].body.append(line)
        at += 1
    return [one for one in found if one.old or one.new or any(map(str.strip, one.body))]


def _opens_hunk(lines: Sequence[str], at: int) -> bool:
    return at < len(lines) and lines[at].startswith("@@")


def _path(said: str) -> str:
    said = tidy(said.partition("\t")[0])
    return said[2:] if said.startswith(("a/", "b/")) else said


def hunks(path: str, body: Sequence[str]) -> list[Replace]:
    """Each hunk is a search (context and '-') and a replacement (context and '+')."""
    edits: list[Replace] = []
    search, replace = list[str](), list[str]()
    within, numbers, named = "", tuple[int, ...](), False

    def close() -> None:
        if search != replace:
            edits.append(Replace(path, "\n".join(search), "\n".join(replace), within, numbers))
        search.clear()
        replace.clear()

    for line in body:
        if line.startswith("@@"):
            close()
            match = _NUMBERS.match(line)
            numbers = (int(match["old"]), int(match["new"])) if match else ()
            said = (match["within"] if match else line.strip("@")).strip()
            # Two such lines in a row name what is outside and what is in it.
            within = f"{within}\n{said}" if within and said and named else said
            named = True
            continue
        named = False
        if line.startswith("-"):
            search.append(line[1:])
        elif line.startswith("+"):
            replace.append(line[1:])
        elif not line.startswith("\\ No newline"):
            context = line.removeprefix(" ")
            search.append(context)
            replace.append(context)
    close()
    return edits


def breaks_off(body: Sequence[str]) -> bool:
    """Say whether the last hunk of a diff has no end of its line, and less on both sides than its numbers say."""
    start = next((at for at in range(len(body) - 1, -1, -1) if body[at].startswith("@@")), len(body))
    said = _COUNTS.match(body[start]) if start < len(body) else None
    rest = body[start + 1 :]
    if said is None or not rest or not rest[-1].startswith("+"):
        return False
    old, new = (sum(not line.startswith(sign) for line in rest) for sign in ("+", "-"))
    return old + FEWEST_LACKING <= int(said["old"]) and new + FEWEST_LACKING <= int(said["new"])


FEWEST_LACKING = 2
"""Models miscount by one."""
_COUNTS = re.compile(r"^@@ -\d{1,9},(?P<old>\d{1,9}) \+\d{1,9},(?P<new>\d{1,9}) @@")


def is_patch(lines: Sequence[str]) -> bool:
    """
    Say whether an answer is a patch with lines such as `*** Update File: path`.

    Inside a fence they count only at its beginning: a document about patches is a file like any other.
    """
    fenced, first = False, True
    for line in lines:
        if FENCE.match(line):
            fenced, first = not fenced, True
        elif line.startswith("*** ") and (_PATCHED.match(line) or _BEGIN_PATCH.match(line)) and (first or not fenced):
            return True
        elif line.strip() and not line.startswith(("apply_patch", "$ ", "{", "bash", "cat ")):
            first = False
    return False


def patch_ends(lines: Sequence[str]) -> bool:
    """Say whether every patch that is begun is ended."""
    return sum(bool(_BEGIN_PATCH.match(line)) for line in lines) <= sum(bool(_END_PATCH.match(line)) for line in lines)


def patch_edits(lines: Sequence[str]) -> tuple[list[Edit], list[str]]:
    """Return the edits of patches in the form `*** Update File:`, and the lines that belong to none."""
    edits, rest, body, header = list[Edit](), list[str](), list[str](), None
    for line in [*lines, "*** End Patch"]:
        found = _PATCHED.match(line) if line.startswith("*** ") else None
        if found or _END_PATCH.match(line):
            if header is not None:
                edits += _patched(header["verb"], tidy(header["path"]), body)
            body, header = [], found
        elif header is not None:
            body += [] if _PATCH_LINE.match(line) else [line]
        elif not _PATCH_LINE.match(line):
            rest.append(line)
    return edits, rest


def _patched(verb: str, path: str, body: list[str]) -> Iterator[Edit]:
    """Yield the edits of one file of a patch; what is in a hunk is as in a unified diff."""
    while body and (not body[-1].strip() or FENCE.match(body[-1])):
        body.pop()
    if verb == "Delete":
        yield Delete(path)
    elif verb == "Add":
        yield WholeFile(path, "".join(f"{line.removeprefix('+')}\n" for line in body))
    else:
        moved = next((tidy(match["path"]) for line in body if (match := _MOVED.match(line))), "")
        yield from hunks(path, [line for line in body if not _MOVED.match(line)])
        if moved:
            yield Rename(path, moved)
