"""A whole file as an answer: what it changes against the version that the model saw, and nothing else."""

from collections.abc import Collection, Sequence
from dataclasses import replace

from core.edits.blocks import replaced
from core.edits.document import Document
from core.edits.guard import exchanges, lets_go, shrinks
from core.edits.languages import MAX_CHARS, PROSE, ending, worse
from core.edits.locate import Place, collapsed, locate
from core.edits.merge import Line, indented, join_lines, merged, usual_end
from core.edits.model import Refusal, Replace, WholeFile
from core.edits.near import clash, unmoved
from core.edits.parts import is_part, leaves_out, placed
from core.edits.remarks import elisions, is_remark
from core.edits.snippets import filled_in, reblocked, redefined


def rewritten(
    edit: WholeFile,
    document: Document,
    may_remove: bool,
    arriving: Collection[str] = frozenset(),
    *,
    may_drop: bool = False,
    request: str = "",
) -> str | Refusal:
    """
    Apply a whole file to one that exists, and return how it was come by.

    `may_remove` says that the request asked for something to go; else an answer that drops much for little is refused.
    `arriving` are the lines of new files in the same answer: what moves there is not lost. `request` may let something small go.
    """
    if edit.others:
        may_remove = may_remove or _moves(document.seen, edit.content, arriving)
        return _of_several(edit, document, may_remove, may_drop, request)
    may_drop = may_drop or lets_go(request, document.text, edit.content)
    forgets = not may_drop and (not may_remove or exchanges(request))
    may_remove = may_remove or _moves(document.seen, edit.content, arriving)
    before = document.text
    outcome = _rewritten(edit, before, document, may_remove, may_drop)
    if isinstance(outcome, Refusal):
        return outcome
    after, tier = outcome
    seen = before if edit.base is None or tier != "merged file" else edit.base
    new = _plain(edit.content if tier == "merged file" else after)
    forgets = forgets and tier in ("whole file", "merged file")
    if lost := shrinks(_plain(seen), new, comments_only=may_remove, forgets=forgets):
        return Refusal(
            "shrinks", edit.path,
            f"The answer for {edit.path} drops this, which nobody asked for; answer with edits, or write the file in full:\n"
            f"{lost}",
        )  # fmt: skip
    document.become(after)
    return tier


def _moves(file: Sequence[str], content: str, arriving: Collection[str]) -> bool:
    said = {line.strip() for line in content.split("\n")}
    gone = [line.strip() for line in file if line.strip() and line.strip() not in said]
    return bool(gone) and sum(line in arriving for line in gone) * 2 >= len(gone)


def _plain(text: str) -> list[str]:
    return text.replace("\r\n", "\n").removesuffix("\n").split("\n")


def _of_several(edit: WholeFile, document: Document, may_remove: bool, may_drop: bool, request: str) -> str | Refusal:
    """Apply the last of several blocks for a file: the one above it is what the file read before, or all are parts."""
    *_, old = edit.others
    search, new = _plain(old), _plain(edit.content)
    whole = [collapsed(line) for line in search if line.strip()] == [
        collapsed(line) for line in document.seen if line.strip()
    ]
    if len(edit.others) == 1 and whole:
        return rewritten(replace(edit, others=()), document, may_remove, may_drop=may_drop, request=request)
    if len(edit.others) == 1 and isinstance(locate(document.seen, search), Place):
        if isinstance(locate(document.seen, new), Place):
            return _unclear(edit)
        return replaced(Replace(edit.path, "\n".join(search), "\n".join(new)), document)
    first, *rest = (*edit.others, edit.content)
    if _is_excerpt(first, rest) and _plain(first) != _plain(document.text):
        # What stands below the file shows parts of it.
        file = replace(edit, content=first, others=())
        return rewritten(file, document, may_remove, may_drop=may_drop, request=request)
    before = document.text
    for content in (*edit.others, edit.content):
        found = placed(edit.path, document.lines, _plain(content))
        if found is None or worse(edit.path, before, join_lines(found)):
            return _unclear(edit)
        document.become(join_lines(found))
    return "parts"


def _is_excerpt(file: str, parts: Sequence[str]) -> bool:
    """Say whether blocks have no line that the file above them has not, and each less than half of its lines."""
    there = {line.strip() for line in file.split("\n")}
    return all(
        len(part.split("\n")) * 2 < len(file.split("\n")) and all(line.strip() in there for line in part.split("\n"))
        for part in parts
    )


def _unclear(edit: WholeFile) -> Refusal:
    return Refusal(
        "no_edit", edit.path,
        f"The answer has {len(edit.others) + 1} blocks for {edit.path}, and nothing tells which one is the file; answer with "
        "one block, or with SEARCH/REPLACE.",
    )  # fmt: skip


def _rewritten(
    edit: WholeFile, text: str, document: Document, may_remove: bool, may_drop: bool
) -> tuple[str, str] | Refusal:
    path, content = edit.path, _without_path(edit, document)
    lines = document.lines
    answer = content.removesuffix("\n").split("\n")
    large = len(content) > MAX_CHARS
    if gaps := elisions(answer, document.seen):
        filled = None if large else filled_in(path, lines, answer, gaps)
        return _guarded(path, text, filled, "snippet") or Refusal(
            "elision", path, f"The answer for {path} leaves out code ({gaps[0]!r}); write the file in full."
        )
    if not large and (found := _part(path, text, lines, answer)):
        return found
    if not edit.named and _shares_nothing(document.seen, answer):
        return Refusal(
            "no_edit", path,
            f"Nothing says that the block is {path}, and it has no line of it; write a line FILE: {path} above the file in full.",
        )  # fmt: skip
    if not large and not may_remove and is_part(path, document.seen, answer):
        return Refusal(
            "shrinks", path,
            f"The answer for {path} is only a part of it, and what it names cannot be found once in the file; answer with "
            "edits, or write the file in full.",
        )  # fmt: skip
    if not (large or may_remove or may_drop or edit.base) and (lost := leaves_out(path, document.seen, answer)):
        return Refusal(
            "shrinks", path,
            f"The answer for {path} has all but {', '.join(lost[:5])}, and nobody asked for that to go; write the file in full, or "
            "answer with edits.",
        )  # fmt: skip
    unfinished = not content.endswith("\n") and text.endswith("\n")
    if len(content) < len(text) and (unfinished or worse(path, text, content) or _is_cut(path, text, content)):
        return Refusal("truncated", path, f"The answer for {path} ends in the middle; it was cut off.")
    if large and edit.base is None:
        # Comparing would take seconds, and gains a smaller diff only.
        return content.replace("\n", usual_end(lines)), "whole file"
    seen = text if edit.base is None else edit.base.replace("\r\n", "\n")
    return _merged(edit, lines, seen.removesuffix("\n").split("\n"), answer)


_TAGS = ("html", "body", "style", "script", "template", "main", "section")


SHARED_CHARS = 4


def _shares_nothing(file: Sequence[str], answer: Sequence[str]) -> bool:
    """Say whether an answer has no line of a file that has some: an example of its use, or commands to run."""
    there, said = ({line.strip() for line in lines if len(line.strip()) >= SHARED_CHARS} for lines in (file, answer))
    return bool(there) and not there & said


def _is_cut(path: str, old: str, new: str) -> bool:
    """Say whether an answer ends with something open that the file closes, for languages without a grammar here too."""
    brackets = [("{", "}"), ("(", ")"), ("[", "]")] if ending(path) not in PROSE else []
    pairs = [*brackets, *((f"<{tag}", f"</{tag}>") for tag in _TAGS)]
    return any(old.count(first) == old.count(last) and new.count(first) > new.count(last) for first, last in pairs) or (
        "</html>" in old and "</html>" not in new
    )


def _without_path(edit: WholeFile, document: Document) -> str:
    """Return the content without the file's own path as a comment on top, which some models repeat there."""
    content = edit.content.replace("\r\n", "\n")
    first, _, rest = content.partition("\n")
    words = first.split()
    known = not document.lines or document.seen[0] == first
    return rest if not known and is_remark(first) and edit.path in words and len(words) <= 3 else content


def _part(path: str, text: str, lines: list[Line], answer: list[str]) -> tuple[str, str] | None:
    """Return the file with a part of it that the answer is, told by names or by its first line."""
    found = _guarded(path, text, redefined(path, lines, answer), "definition")
    if found is None and is_part(path, [line.text for line in lines], answer):
        found = _guarded(path, text, placed(path, lines, answer), "parts")
    return found or _guarded(path, text, reblocked(lines, answer), "definition")


def _guarded(path: str, text: str, lines: list[Line] | None, tier: str) -> tuple[str, str] | None:
    """Return the result of a guess that holds: it changes something, and no more of it fails to parse than before."""
    if lines is None:
        return None
    result = join_lines(lines)
    return (result, tier) if result != text and not worse(path, text, result) else None


def _merged(
    edit: WholeFile, lines: list[Line], seen: Sequence[str], answer: Sequence[str]
) -> tuple[str, str] | Refusal:
    """Carry what the answer changes over to the file as it stands."""
    file = [line.text for line in lines]
    if edit.base is None:
        pairs, tier = {at: at for at in range(len(lines))}, "whole file"
        seen = file
    else:
        pairs, tier = unmoved(seen, file), "merged file"
        if (lost := clash(seen, answer, pairs, file)) is not None:
            return Refusal(
                "conflict", edit.path, f"{edit.path} was changed meanwhile where the answer changes it: {lost!r}."
            )
    if edit.base is None and [line.rstrip() for line in seen] == [line.rstrip() for line in answer]:
        # What only ends otherwise was meant so: two blanks break a line of Markdown.
        return join_lines([Line(new, line.end) for line, new in zip(lines, answer, strict=True)]), tier
    if any(line.startswith("\t") for line in seen) and [line.strip() for line in seen] != [
        line.strip() for line in answer
    ]:
        answer = indented(answer, seen)
    return join_lines(merged(lines, Place(0, len(lines), pairs, tier), seen, answer)), tier
