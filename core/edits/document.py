"""A file while a patch is applied to it: many edits of a large file cost what they change, not what it holds."""

from collections.abc import Sequence

from core.edits.locate import Lines, Place
from core.edits.merge import Line, join_lines, merged, split_lines, usual_end

BOM = "\ufeff"


class Document:
    """The lines of a file, without its byte order mark, and what is known of them."""

    def __init__(self, text: str) -> None:
        self._bom = BOM if text.startswith(BOM) else ""
        self.become(text.removeprefix(BOM))

    def become(self, text: str) -> None:
        """Take a whole new text."""
        self.lines: list[Line] = split_lines(text)
        self.seen = Lines([line.text for line in self.lines])
        self._end = usual_end(self.lines)

    @property
    def text(self) -> str:
        """The text without its byte order mark."""
        return join_lines(self.lines)

    def encoded(self) -> bytes:
        """Return the file's bytes."""
        return (self._bom + self.text).encode()

    def put(self, place: Place, search: Sequence[str], replace: Sequence[str]) -> None:
        """Carry the delta from `search` to `replace` over to a place."""
        before = len(self.lines)
        self.lines = merged(self.lines, place, search, replace, self._end)
        stop = place.end + len(self.lines) - before
        self.seen.put(place.start, place.end, [line.text for line in self.lines[place.start : stop]])
