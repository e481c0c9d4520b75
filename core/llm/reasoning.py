"""What models think aloud before they answer: no plan, no edit and no file is read from it."""

_TAGS = ("think", "thinking", "thought", "reasoning")
_BEGINS, _ENDS = ("<<<<<<<", "-------"), (">>>>>>>", "+++++++")


def without_reasoning(text: str) -> str:
    """
    Return an answer without the reasoning in front of it; empty when it never got further than that.

    Some servers keep the opening tag to themselves: a closing tag on a line of its own, outside any block, ends reasoning too.
    """
    rest = text.lstrip()
    while tag := next((tag for tag in _TAGS if rest[: len(tag) + 2].lower() == f"<{tag}>"), ""):
        end = rest.lower().find(f"</{tag}>")
        if end < 0:
            return ""
        rest = rest[end + len(tag) + 3 :].lstrip()
    lines = rest.split("\n")
    end = next((at for at in _outside_blocks(lines) if lines[at].strip().lower() in _CLOSING), -1)
    if end >= 0:
        return "\n".join(lines[end + 1 :]).lstrip()
    return rest if len(rest) < len(text.lstrip()) else text


_CLOSING = tuple(f"</{tag}>" for tag in _TAGS)


def _outside_blocks(lines: list[str]) -> list[int]:
    """Return the lines outside fences and SEARCH/REPLACE blocks: in those a tag is code."""
    found, fence, searching = list[int](), "", False
    for at, line in enumerate(lines):
        ticks = line[:3] if line.startswith(("```", "~~~")) else ""
        if ticks and fence in ("", ticks):
            fence = "" if fence else ticks
        elif line.startswith(_BEGINS) and "SEARCH" in line:
            searching = True
        elif line.startswith(_ENDS):
            searching = False
        elif not fence and not searching:
            found.append(at)
    return found
