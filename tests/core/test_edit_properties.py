"""Under any drift an edit gives what it means or a refusal, never a third thing."""

import json

from hypothesis import given, settings
from hypothesis import strategies as st

from core.edits import Operation, Refusal, Replace, WholeFile, apply_patch, parse_answer
from core.files import FileTree

WORDS = st.text(alphabet="abc (){}[]\"'=:.,\t", max_size=12)


@st.composite
def cases(draw: st.DrawFn) -> tuple[list[str], int, int, list[str], int]:
    """A file whose lines are all different, the lines that an edit replaces, what by, and how much context it quotes."""
    lines = [f"{at} {draw(WORDS)}".rstrip() for at in range(draw(st.integers(3, 30)))]
    start = draw(st.integers(0, len(lines) - 1))
    end = draw(st.integers(start + 1, min(len(lines), start + 4)))
    new = [f"new{at} {draw(WORDS)}".rstrip() for at in range(draw(st.integers(0, 4)))]
    return lines, start, end, new, draw(st.integers(0, 4))


def text_of(lines: list[str], end: str = "\n") -> bytes:
    return "".join(f"{line}{end}" for line in lines).encode()


def answer_to(lines: list[str], start: int, end: int, new: list[str], context: int) -> Replace:
    before, after = lines[max(0, start - context) : start], lines[end : end + context]
    return Replace("a.txt", "\n".join([*before, *lines[start:end], *after]), "\n".join([*before, *new, *after]))


def done(content: bytes, edit: Replace | WholeFile) -> bytes | Refusal:
    patched = apply_patch(FileTree({"a.txt": content}), [edit])
    return patched.refused[0] if patched.refused else patched.tree["a.txt"]


@given(cases(), st.sampled_from(["\n", "\r\n"]))
def test_an_edit_of_a_file_that_did_not_change_is_applied_and_can_be_taken_back(
    case: tuple[list[str], int, int, list[str], int], end: str
) -> None:
    lines, start, stop, new, _ = case
    edit = answer_to(*case)
    content = text_of(lines, end)
    result = done(content, edit)
    if not edit.replace and not edit.search.strip():
        return
    assert result == text_of([*lines[:start], *new, *lines[stop:]], end)
    if edit.replace.strip():
        back = done(result, Replace("a.txt", edit.replace, edit.search))
        assert isinstance(back, Refusal) or back == content


@given(cases(), st.data())
def test_what_people_changed_elsewhere_survives(
    case: tuple[list[str], int, int, list[str], int], data: st.DataObject
) -> None:
    lines, start, stop, new, _ = case
    theirs = [
        line if start <= at < stop or not data.draw(st.booleans()) else f"{line} theirs"
        for at, line in enumerate(lines)
    ]  # fmt: skip
    result = done(text_of(theirs), answer_to(*case))
    expected = text_of([*theirs[:start], *new, *theirs[stop:]])
    assert isinstance(result, Refusal) or result == expected
    whole = WholeFile("a.txt", text_of([*lines[:start], *new, *lines[stop:]]).decode() or "\n", text_of(lines).decode())
    merged = done(text_of(theirs), whole)
    assert isinstance(merged, Refusal) or merged == expected


@given(cases())
def test_a_line_that_people_changed_is_never_overwritten(case: tuple[list[str], int, int, list[str], int]) -> None:
    lines, start, stop, _, _ = case
    theirs = [f"{line} theirs" if start <= at < stop else line for at, line in enumerate(lines)]
    result = done(text_of(theirs), answer_to(*case))
    if isinstance(result, Refusal):
        return
    # A short line may stand inside the one that became of it; then the rest of that line is still there.
    assert result.count(b"theirs") == stop - start


@given(st.text(max_size=300) | st.text(alphabet="<>=SEARCHPLAC@+-* \n`{}\"'FILE: a.py", max_size=300))
@settings(max_examples=300, deadline=None)
def test_no_answer_crashes_the_reader(answer: str) -> None:
    edits = parse_answer(answer, "a.py")
    if not isinstance(edits, Refusal):
        apply_patch(FileTree({"a.py": b"x = 1\n"}), edits)


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(
        st.sampled_from(["path", "edits", "old_str", "new_str", "type", "target", "action", "new_content", "to"]), inner, max_size=5
    ),
    max_leaves=12,
)  # fmt: skip


@given(JSON)
def test_no_json_crashes_the_reader(value: object) -> None:
    edits = parse_answer(json.dumps(value), "a.py")
    if not isinstance(edits, Refusal):
        apply_patch(FileTree({"a.py": b"x = 1\n", "a": b""}), edits)


@given(
    st.sampled_from(["a.py", "a.js", "a.css", "a.html", "a.json", "a.toml", "a.yaml", "a.txt"]),
    st.sampled_from(["replace", "add", "remove"]),
    st.sampled_from(["function", "class", "method", "import", "decorator", "field", "rule", "element", "key"]),
    st.sampled_from(["x", "x.y", "", ".", "#x", "a b"]),
    st.text(max_size=20) | st.sampled_from(["def x(): ...", "{}", "<p></p>", "import x", "@x"]),
    st.text(alphabet="abx{}[]()<>:=\n\"'.# @", max_size=60),
)
@settings(max_examples=400, deadline=None)
def test_no_operation_crashes(path: str, action: str, thing: str, target: str, content: str, text: str) -> None:
    before = FileTree({path: text.encode()})
    patched = apply_patch(before, [Operation(path, action, thing, target, content)])  # type: ignore[arg-type]
    assert patched.applied or patched.tree == before
