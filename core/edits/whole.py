"""A whole file as an answer: what it changes against the version that the model saw, and nothing else."""

from collections.abc import Sequence

from core.edits.languages import MAX_CHARS, worse
from core.edits.locate import Place
from core.edits.merge import Line, join_lines, merged, split_lines, usual_end
from core.edits.model import Refusal, WholeFile
from core.edits.near import clash, unmoved
from core.edits.snippets import elisions, filled_in, reblocked, redefined


def rewritten(edit: WholeFile, text: str) -> tuple[str, str] | Refusal:
    """Return the new text of an existing file and how it was come by; `text` is the file as it stands."""
    path, content = edit.path, edit.content.replace("\r\n", "\n")
    lines = split_lines(text)
    answer = content.removesuffix("\n").split("\n")
    if gaps := elisions(answer, text):
        return _guarded(path, text, filled_in(lines, answer, gaps), "snippet") or Refusal(
            "elision", path, f"The answer for {path} leaves out code ({gaps[0]!r}); write the file in full."
        )
    large = len(content) > MAX_CHARS
    if not large and (found := _definition(path, text, lines, answer)):
        return found
    unfinished = not content.endswith("\n") and text.endswith("\n")
    if len(content) < len(text) and (unfinished or worse(path, text, content)):
        return Refusal("truncated", path, f"The answer for {path} ends in the middle; it was cut off.")
    if large and edit.base is None:
        # Comparing would take seconds, and gains a smaller diff only.
        return content.replace("\n", usual_end(lines)), "whole file"
    seen = text if edit.base is None else edit.base.replace("\r\n", "\n")
    return _merged(edit, lines, seen.removesuffix("\n").split("\n"), answer)


def _definition(path: str, text: str, lines: list[Line], answer: list[str]) -> tuple[str, str] | None:
    found = _guarded(path, text, redefined(path, lines, answer), "definition")
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
    return join_lines(merged(lines, Place(0, len(lines), pairs, tier), seen, answer)), tier
