"""Whole answers of models, in the many forms in which they come: what they mean is done, or they are refused."""

import json

import pytest

from core.edits import (
    Delete,
    Edit,
    Operation,
    Refusal,
    Rename,
    Replace,
    WholeFile,
    apply_patch,
    asks_for_removal,
    parse_answer,
)
from core.files import FileTree
from core.llm.reasoning import without_reasoning

PYTHON = """\
import os


def first():
    total = 0
    return total


def second():
    total = 0
    return total + 1


def third():
    path = os.sep
    return path
"""
SHEET = ".a {\n  color: red;\n}\n\n.b {\n  color: blue;\n}\n\n.c {\n  color: green;\n}\n"


def after(files: dict[str, str], answer: str, default: str, *, may_remove: bool = False) -> dict[str, str] | Refusal:
    """Return the files that an answer leaves, or why it is refused."""
    edits = parse_answer(answer, default)
    if isinstance(edits, Refusal):
        return edits
    done = apply_patch(FileTree({path: text.encode() for path, text in files.items()}), edits, may_remove=may_remove)
    return done.refused[0] if done.refused else {path: content.decode() for path, content in done.tree.items()}


def one(path: str, text: str, answer: str, *, may_remove: bool = False) -> str | Refusal:
    """Return what an answer makes of a single file."""
    done = after({path: text}, answer, path, may_remove=may_remove)
    return done if isinstance(done, Refusal) else done[path]


def kind(outcome: object) -> str:
    assert isinstance(outcome, Refusal), outcome
    return outcome.kind


def edits(answer: str, default: str = "x") -> tuple[Edit, ...]:
    found = parse_answer(answer, default)
    assert not isinstance(found, Refusal), found
    return found


# --- which block is the file


@pytest.mark.parametrize(
    "header",
    ["a.css", "**a.css**", "`a.css`", "### a.css", "1. `a.css`:", "File: a.css", "**File:** `a.css`", "FILE: ./a.css", "FILE: a.css (changed)"],
)  # fmt: skip
def test_a_file_may_be_named_in_many_ways(header: str) -> None:
    assert edits(f"{header}\n```css\nx\n```") == (WholeFile("a.css", "x\n"),)


@pytest.mark.parametrize("info", ["css:a.css", 'css title="a.css"', "css filename=./a.css"])
def test_the_first_line_of_a_fence_may_name_the_file(info: str) -> None:
    assert edits(f"```{info}\nx\n```") == (WholeFile("a.css", "x\n"),)


def test_a_line_that_is_no_path_names_nothing() -> None:
    assert edits("Run: it\nlike.this one\n" + "x" * 400 + "\n```css\nx\n```", "a.css") == (WholeFile("a.css", "x\n"),)


def test_commands_below_a_file_are_no_part_of_it() -> None:
    page = "import a from 'a'\nexport const b = a\n"
    answer = f"FILE: a.tsx\n```tsx\n{page}```\n\nThen run:\n\n```bash\nnpm install\n```\n"
    assert edits(answer) == (WholeFile("a.tsx", page),)
    assert kind(parse_answer("FILE: a.py\n```bash\npip install x\n```\n", "a.py")) == "no_edit"
    assert edits("FILE: run.sh\n```bash\nls\n```\n") == (WholeFile("run.sh", "ls\n"),)
    assert edits("FILE: Dockerfile\n```dockerfile\nFROM x\n```\n") == (WholeFile("Dockerfile", "FROM x\n"),)
    assert edits("FILE: a.go\n```go\nx\n```\n```console\ngo run\n```\n") == (WholeFile("a.go", "x\n"),)
    assert edits("FILE: a.py\n```coffee\nx = 1\n```\n") == (WholeFile("a.py", "x = 1\n"),)


def test_fences_inside_a_file_are_its_own() -> None:
    code = 'TEXT = """\n```\nx\n```\n"""\n'
    assert edits(f"FILE: a.py\n```python\n{code}```\n") == (WholeFile("a.py", code),)
    prose = "# A\n\n```sh\nls\n```\n\nB\n"
    assert edits(f"FILE: a.md\n```markdown\n{prose}```\n") == (WholeFile("a.md", prose),)
    assert edits(f"FILE: a.md\n```markdown\n{prose}```\nThen\n```bash\nls\n```\n") == (WholeFile("a.md", prose),)
    assert kind(parse_answer("FILE: a.md\n```markdown\n# A\n```sh\nls\n```\n", "a.md")) == "truncated"
    bare = "# A\n\n```\nls\n```\n\nB\n"
    assert edits(f"FILE: a.md\n```\n{bare}```\n") == (WholeFile("a.md", bare),)
    unknown = "func a() {\n```\nx\n```\n}\n"
    assert edits(f"FILE: a.go\n```go\n{unknown}```\n") == (WholeFile("a.go", unknown),)
    broken = "def a(:\n```\nx\n```\n"
    assert edits(f"FILE: a.py\n```python\n{broken}```\n") == (WholeFile("a.py", broken),)


def test_a_block_that_was_not_closed_before_the_next_file_is_cut_off() -> None:
    assert kind(parse_answer("FILE: a.js\n```js\nlet a\n\nFILE: b.js\n```js\nlet b\n```\n", "a.js")) == "truncated"


def test_blocks_above_the_first_header_only_show_something() -> None:
    answer = "You have this:\n```js\nold()\n```\nFILE: b.css\n```css\nx\n```\n"
    assert edits(answer, "a.js") == (WholeFile("b.css", "x\n"),)


def test_of_two_blocks_the_first_may_be_what_the_file_reads() -> None:
    answer = "Current:\n```css\n.b {\n  color: blue;\n}\n```\nNew:\n```css\n.b {\n  color: teal;\n}\n```\n"
    assert one("a.css", SHEET, answer) == SHEET.replace("blue", "teal")
    whole = f"Before:\n```css\n{SHEET}```\nAfter:\n```css\n{SHEET.replace('blue', 'teal')}```\n"
    assert one("a.css", SHEET, whole) == SHEET.replace("blue", "teal")
    parts = "```css\n.a {\n  color: tan;\n}\n```\nand\n```css\n.c {\n  color: teal;\n}\n```\n"
    assert one("a.css", SHEET, parts) == SHEET.replace("red", "tan").replace("green", "teal")
    swapped = "```css\n.b {\n  color: blue;\n}\n```\n```css\n.a {\n  color: red;\n}\n```\n"
    assert kind(one("a.css", SHEET, swapped)) == "no_edit"
    assert kind(one("a.css", SHEET, "```css\n.x {\n}\n```\n```css\n.y {\n}\n```\n")) == "no_edit"
    assert kind(one("a.css", "", "```css\n.x {\n}\n```\n```css\n.y {\n}\n```\n")) == "no_edit"
    assert one("a.css", SHEET, f"```css\n{SHEET}```\n```css\n{SHEET}```\n") == SHEET


def test_the_path_that_is_repeated_inside_the_block_is_no_part_of_the_file() -> None:
    assert one("src/a.js", "let a = 1\n", "FILE: src/a.js\n```js\n// src/a.js\nlet a = 2\n```\n") == "let a = 2\n"
    kept = "// src/a.js\nlet a = 1\n"
    assert one("src/a.js", kept, "FILE: src/a.js\n```js\n// src/a.js\nlet a = 2\n```\n") == "// src/a.js\nlet a = 2\n"


# --- JSON


def test_json_edits_are_read_before_anything_else() -> None:
    call = json.dumps(
        {"command": "str_replace", "path": "a.py", "old_str": "    return total\n", "new_str": "    return 1\n"}
    )
    expected = (Replace("a.py", "    return total", "    return 1"),)
    for answer in (
        call,
        f"```json\n{call}\n```",
        f"I will:\n\n```json\n{call}\n```\nDone.",
        f"FILE: a.py\n{call}\nDone.",
    ):
        assert edits(answer, "a.py") == expected
    assert edits(json.dumps({"name": "edit", "arguments": json.loads(call)}), "a.py") == expected
    assert edits(f"[draft\n{{not json\n{{}}\n{call}", "a.py") == expected


def test_json_of_a_json_file_is_the_file() -> None:
    body = '{\n  "files": [\n    {"path": "x", "content": "y"}\n  ]\n}\n'
    assert edits(f"FILE: a.json\n```json\n{body}```\n") == (WholeFile("a.json", body),)


def test_files_in_json_are_whole_files() -> None:
    answer = json.dumps({"files": [{"path": "a", "content": "x\n"}, {"filePath": "b", "code": "y\n"}]})
    assert edits(answer) == (WholeFile("a", "x\n"), WholeFile("b", "y\n"))


def test_all_places_are_replaced_where_the_call_says_so() -> None:
    def call(old: str, new: str) -> str:
        return json.dumps({"path": "a.txt", "old_string": old, "new_string": new, "replace_all": True})

    assert one("a.txt", "a x\nb\na x\n", call("a x", "c")) == "c\nb\nc\n"
    assert one("a.txt", "a\nb\nc\na\nb\n", call("a\nb", "d")) == "d\nc\nd\n"
    assert one("a.txt", "a\nb\nc\n", call("a\nb", "d")) == "d\nc\n"
    assert kind(one("a.txt", "a\n", call("z", "d"))) == "not_found"


# --- diffs


def test_the_file_names_of_a_diff_count() -> None:
    files = {"a.yml": "x: 1\ny: 1\n", "b/a.yml": "x: 1\ny: 1\n"}
    body = (
        "--- a/a.yml\n+++ b/a.yml\n@@ -1 +1 @@\n-x: 1\n+x: 2\n--- a/b/a.yml\n+++ b/b/a.yml\n@@ -2 +2 @@\n-y: 1\n+y: 2\n"
    )
    expected = {"a.yml": "x: 2\ny: 1\n", "b/a.yml": "x: 1\ny: 2\n"}
    assert after(files, f"```diff\n{body}```\n", "a.yml") == expected
    assert after(files, f"Here it is.\n\n{body}", "a.yml") == kind_free_refusal(
        after(files, f"Here it is.\n\n{body}", "a.yml")
    )
    assert after(files, body, "a.yml") == expected
    # What the answer says above the diff counts where the diff names the same file by another folder.
    assert edits("FILE: src/a.yml\n```diff\n--- a.yml\n+++ a.yml\n@@ -1 +1 @@\n-x\n+y\n```\n")[0].path == "src/a.yml"
    assert (
        edits("FILE: src/a.yml\n```diff\n--- old/a.yml\n+++ old/a.yml\n@@ -1 +1 @@\n-x\n+y\n```\n")[0].path
        == "src/a.yml"
    )


def kind_free_refusal(outcome: object) -> object:
    """Prose above an unfenced diff is no edit yet: it is refused, not guessed."""
    assert isinstance(outcome, Refusal)
    return outcome


def test_diffs_make_remove_and_rename_files() -> None:
    made = "```diff\ndiff --git a/n.py b/n.py\nnew file mode 100644\nindex 0..1\n--- /dev/null\n+++ b/n.py\n@@ -0,0 +1 @@\n+x = 1\n```\n"
    assert edits(made) == (WholeFile("n.py", "x = 1\n"),)
    gone = "```diff\ndiff --git a/o.py b/o.py\ndeleted file mode 100644\n--- a/o.py\n+++ /dev/null\n@@ -1 +0,0 @@\n-x = 1\n```\n"
    assert edits(gone, "o.py") == (Delete("o.py"),)
    moved = "```diff\ndiff --git a/o.py b/n.py\nsimilarity index 100%\nrename from o.py\nrename to n.py\n```\n"
    assert edits(moved, "o.py") == (Rename("o.py", "n.py"),)
    both = "```diff\n--- a/o.py\t2026\n+++ b/n.py\t2026\n@@\n-x = 1\n+x = 2\n```\n"
    assert edits(both, "o.py") == (Replace("o.py", "x = 1", "x = 2"), Rename("o.py", "n.py"))


def test_a_removed_line_that_looks_like_a_header_is_a_line() -> None:
    assert one("a.sql", "-- Old\nSELECT 1;\n", "```diff\n@@ -1,2 +1,2 @@\n--- Old\n+-- New\n SELECT 1;\n```\n") == (
        "-- New\nSELECT 1;\n"
    )
    assert one("a.txt", "-- a\nc\n", "```diff\n@@ -1,2 +1,2 @@\n--- a\n+++ b\n c\n```\n") == "++ b\nc\n"


LOOKS = (
    "def a():\n    x = 1\n    return x\n\n\ndef b():\n    x = 1\n    return x\n\n\ndef c():\n    x = 1\n    return x\n"
)


@pytest.mark.parametrize("anchor", ["def b():", "b()"])
def test_an_anchor_decides_between_places_that_read_alike(anchor: str) -> None:
    patch = f"*** Begin Patch\n*** Update File: a.py\n@@ {anchor}\n-    x = 1\n+    x = 2\n*** End Patch\nDone."
    assert one("a.py", LOOKS, patch) == LOOKS.replace("def b():\n    x = 1", "def b():\n    x = 2")


def test_an_anchor_does_not_reach_into_the_next_block() -> None:
    text = LOOKS.replace("def b():\n    x = 1", "def b():\n    x = 0")
    patch = "*** Update File: a.py\n@@ def b():\n-    x = 1\n+    x = 2\n*** End Patch"
    assert kind(one("a.py", text, patch)) == "ambiguous"


def test_a_line_number_decides_only_where_it_is_right() -> None:
    def numbered(line: int) -> str:
        return f"```diff\n@@ -{line},1 +{line},1 @@\n-    x = 1\n+    x = 2\n```\n"

    assert one("a.py", LOOKS, numbered(7)) == LOOKS.replace("def b():\n    x = 1", "def b():\n    x = 2")
    assert kind(one("a.py", LOOKS, numbered(8))) == "ambiguous"
    # Places that differ in their white space are not alike: nothing is guessed.
    assert (
        kind(one("a.py", "if a:\n    x = 1\nif b:\n      x = 1\n", "```diff\n@@ -2 +2 @@\n-x = 1\n+x = 2\n```\n"))
        == "ambiguous"
    )
    roo = "FILE: a.py\n<<<<<<< SEARCH\n:start_line:7\n-------\n    x = 1\n=======\n    x = 2\n>>>>>>> REPLACE\n"
    assert one("a.py", LOOKS, roo) == one("a.py", LOOKS, numbered(7))
    assert (
        one("a.txt", ":end_line: 3\nx\n", "<<<<<<< SEARCH\n:end_line: 3\nx\n=======\ny\n>>>>>>> REPLACE\n")
        == ":end_line: 3\ny\n"
    )


def test_a_patch_may_stand_in_a_fence_and_lack_its_end() -> None:
    assert edits("```\n*** Update File: a.py\n@@\n-x\n+y\n\n```\n") == (Replace("a.py", "x", "y"),)


# --- SEARCH and REPLACE


def test_blank_lines_that_are_not_there_tell_no_place() -> None:
    assert kind(one("a.txt", "a\n", "<<<<<<< SEARCH\nzz\n\nyy\n=======\nzz\nyy\n>>>>>>> REPLACE\n")) == "not_found"


def test_a_heading_that_looks_like_the_divider_is_text() -> None:
    text = "Title\n=======\n\nWords.\n"
    block = "<<<<<<< SEARCH\nTitle\n=======\n=======\nNew\n=======\n>>>>>>> REPLACE\n"
    assert one("a.rst", text, f"FILE: a.rst\n{block}") == "New\n=======\n\nWords.\n"
    assert kind(one("a.rst", "Other\n", f"FILE: a.rst\n{block}")) == "not_found"
    assert kind(parse_answer("<<<<<<< SEARCH\na\n>>>>>>> REPLACE\n", "a.py")) == "truncated"
    assert (
        kind(parse_answer("<<<<<<< SEARCH\na\n<<<<<<< SEARCH\nb\n=======\nc\n>>>>>>> REPLACE\n", "a.py")) == "truncated"
    )


def test_lines_of_code_that_look_like_headers_are_code() -> None:
    text = "const VERBS = {\n  DELETE:\n    'x',\n}\n"
    block = "FILE: v.js\n<<<<<<< SEARCH\n  DELETE:\n    'x',\n=======\n  DELETE:\n    'y',\n>>>>>>> REPLACE\n"
    assert one("v.js", text, block) == text.replace("'x'", "'y'")
    assert edits(f"FILE: v.js\n```js\nDELETE: a.js\n{text}```\n") == (WholeFile("v.js", f"DELETE: a.js\n{text}"),)
    assert edits("DELETE: `/items/{id}`\nFILE: a\n```\nx\n```\n") == (WholeFile("a", "x\n"),)


def test_the_same_block_twice_is_one_edit() -> None:
    block = "<<<<<<< SEARCH\nx = 1\n=======\nx = 1\ny = 2\n>>>>>>> REPLACE\n"
    assert one("a.py", "x = 1\n", f"FILE: a.py\n{block}\n{block}") == "x = 1\ny = 2\n"


def test_a_search_that_lost_its_indentation_keeps_that_of_the_replacement() -> None:
    block = (
        "<<<<<<< SEARCH\ntotal = 0\nreturn total + 1\n=======\n    total = 1\n    return total + 1\n>>>>>>> REPLACE\n"
    )
    assert one("a.py", PYTHON, block) == PYTHON.replace(
        "total = 0\n    return total + 1", "total = 1\n    return total + 1"
    )


def test_wrong_indentation_of_python_is_a_syntax_error() -> None:
    block = "<<<<<<< SEARCH\n    return total + 1\n=======\n    a = 1\n      return total + 1\n>>>>>>> REPLACE\n"
    assert kind(one("a.py", PYTHON, block)) == "worse_syntax"


def test_short_lines_tell_a_place_together() -> None:
    text = "abc()\nb = 1\nc()\nd = 22\n\nz()\n"
    block = "<<<<<<< SEARCH\nabc()\nb = 1\nold()\nd = 22\n=======\nabc()\nb = 2\nold()\nd = 22\n>>>>>>> REPLACE\n"
    assert one("a.txt", text, block) == text.replace("b = 1", "b = 2")


# --- what would go


def body(lines: int) -> str:
    return "\n".join(f"    step_{at}(value, {at})" for at in range(lines))


@pytest.mark.parametrize("words", ["... rest", "hier bleibt alles", "le reste est identique", "your old steps", "snip"])
@pytest.mark.parametrize(
    ("path", "remark"), [("a.py", "# {}"), ("a.js", "// {}"), ("a.css", "/* {} */"), ("a.html", "<!-- {} -->")]
)
def test_a_remark_in_the_place_of_code_is_refused_in_whatever_words(words: str, path: str, remark: str) -> None:
    old = f"head = 1\n{body(8)}\ntail = 2\n"
    new = f"head = 2\n    {remark.format(words)}\ntail = 2\n"
    assert kind(one(path, old, f"FILE: {path}\n```\n{new}```\n")) in ("shrinks", "elision")
    quoted = f"FILE: {path}\n<<<<<<< SEARCH\n{body(8)}\n=======\n    {remark.format(words)}\n>>>>>>> REPLACE\n"
    assert kind(one(path, old, quoted)) in ("shrinks", "elision")


def test_a_file_that_drops_much_for_little_is_refused_unless_that_was_asked_for() -> None:
    old = f"head = 1\n{body(40)}\ntail = 2\n"
    answer = "FILE: a.txt\n```\nhead = 1\ntail = 3\n```\n"
    refused = one("a.txt", old, answer)
    assert kind(refused) == "shrinks"
    assert isinstance(refused, Refusal)
    assert "step_0(value, 0)" in refused.message
    assert refused.message.endswith("…")
    assert one("a.txt", old, answer, may_remove=True) == "head = 1\ntail = 3\n"
    # What moves does not go.
    moved = f"FILE: a.txt\n```\nhead = 1\ntail = 2\n{body(40)}\n```\n"
    assert one("a.txt", old, moved) == f"head = 1\ntail = 2\n{body(40)}\n"
    # Removing remarks for a remark is no loss of code.
    notes = "\n".join(f"# note {at}" for at in range(8))
    assert (
        one("a.py", f"x = 1\n{notes}\ny = 2\n", "FILE: a.py\n```\nx = 1\n# all notes\ny = 2\n```\n")
        == "x = 1\n# all notes\ny = 2\n"
    )


def test_a_request_may_ask_for_less() -> None:
    for request in (
        "Remove the old list", "get rid of it", "vereinfache die Seite", "split it in two", "Please delete the export",
        "Make it blue and drop the footer", "could you please clean up the code?", "die Liste bitte entfernen",
        "The footer should be removed", "make it shorter", "We need to replace the table with cards", "- remove the legend",
    ):  # fmt: skip
        assert asks_for_removal(request), request
    for request in (
        "Add a field", "make it blue", "", "Add a delete button", "Without changing anything else, make the title blue",
        "the drop-down is empty, fix it", "add a sign out link", "Let admins delete users", "drop-down for the colour",
        "the delete endpoint returns 500", "Delete button does nothing", "ein Knopf zum Löschen", "add less padding",
        "Nutzer sollen Einträge löschen können", "show what was removed", "cute cats on the page", "quite nice, now make it blue", "a page where people can be removed",
    ):  # fmt: skip
        assert not asks_for_removal(request), request


@pytest.mark.parametrize(
    "remark",
    ["see above", "der Rest wie oben", "nothing changes in this part", "as in your version", "etc.", "sem alterações",
     "остальной код без изменений", "il resto come prima", "変更なし", "기존 코드"],
)  # fmt: skip
def test_remarks_for_code_are_held_back_whatever_is_asked_for(remark: str) -> None:
    text = f"import os\n\n\ndef a():\n{body(5)}\n\n\ndef b():\n    return 2\n"
    short = f"import os\n\n\ndef a():\n    # {remark}\n    pass\n\n\ndef b():\n    return 3\n"
    for may_remove in (False, True):
        assert kind(one("a.py", text, f"FILE: a.py\n```python\n{short}```\n", may_remove=may_remove)) == "shrinks"


def test_what_the_model_saw_counts_for_what_would_go() -> None:
    seen = f"head = 1\n{body(40)}\ntail = 2\n"
    done = apply_patch(FileTree({"a.txt": seen.encode()}), [WholeFile("a.txt", "head = 1\ntail = 3\n", base=seen)])
    assert done.refused[0].kind == "shrinks"


# --- parts of a file


def test_parts_take_the_place_of_their_namesakes() -> None:
    answer = "```python\ndef first():\n    return 1\n\n\ndef third():\n    return 3\n```\n"
    expected = PYTHON.replace("    total = 0\n    return total\n", "    return 1\n").replace(
        "    path = os.sep\n    return path", "    return 3"
    )
    assert one("a.py", PYTHON, answer) == expected
    assert one("a.css", SHEET, "```css\n.b {\n  color: teal;\n}\n```\n") == SHEET.replace("blue", "teal")
    assert (
        kind(one("a.py", PYTHON, "```python\ndef first():\n    return 1\n\n\ndef fourth():\n    return 3\n```\n"))
        == "shrinks"
    )
    assert kind(one("a.css", SHEET + SHEET, "```css\n.b {\n  color: teal;\n}\n```\n")) == "shrinks"


PAGE = """\
<!doctype html>
<html>
<body>
<nav id="top">
  <a href="/">A</a>
</nav>
<main>
  <p>Text</p>
</main>
<script>
  let a = 1
</script>
<p id="x">one line</p>
</body>
</html>
"""


def test_elements_sections_and_keys_are_parts_too() -> None:
    assert one("a.html", PAGE, "```html\n<script>\n  let a = 2\n</script>\n```\n") == PAGE.replace("a = 1", "a = 2")
    assert one("a.html", PAGE, '```html\n<nav id="top">\n  <a href="/">B</a>\n</nav>\n```\n') == PAGE.replace(
        ">A<", ">B<"
    )
    text = "# Title\n\nIntro.\n\n## One\n\nA.\n\n```sh\n# no heading\n```\n\n---\n\n## Two\n\nB.\n\n## Three\n\nC.\n"
    assert one("a.md", text, "````markdown\n## One\n\nAA.\n\n```sh\n# no heading\n```\n````\n") == text.replace(
        "A.\n", "AA.\n", 1
    )
    flat = "# A\n\na\n\n# B\n\nb\n\n# C\n\nc\n"
    assert one("a.md", flat, "````markdown\n# B\n\nbb\n````\n") == flat.replace("\nb\n", "\nbb\n")
    compose = "services:\n  web:\n    image: a\n    ports:\n    - 1\n\n  # the store\n  db:\n    image: b\nvolumes:\n  v: {}\n"
    assert one("c.yml", compose, "```yaml\ndb:\n  image: c\n```\n") == compose.replace("image: b", "image: c")
    vue = "<script>\nlet a = 1\n</script>\n<template>\n<p>\n</p>\n</template>\n<style>\n.a {}\n</style>\n"
    assert one("a.vue", vue, "```vue\n<script>\nlet a = 2\n</script>\n```\n") == vue.replace("1", "2")


def test_what_comes_behind_everything_that_was_left_out_goes_to_the_end() -> None:
    assert one("a.css", SHEET, "```css\n/* ... existing styles ... */\n\n.d {\n  color: tan;\n}\n```\n") == (
        SHEET + "\n.d {\n  color: tan;\n}\n"
    )
    assert (
        kind(one("a.html", PAGE, "```html\n<!-- ... existing markup ... -->\n<footer>\n x\n</footer>\n```\n"))
        == "elision"
    )
    assert kind(one("a.txt", "a\nb\n", "```\n# ... existing ...\nc\n```\n")) == "elision"


CLASS = "import a from 'a'\n\nclass C {\n  one() {\n    return 1\n  }\n\n  two() {\n    return 2\n  }\n}\n\nexport default C\n"


def test_members_of_a_class_are_put_into_it() -> None:
    answer = "class C {\n  // ... same ...\n\n  two() {\n    return 22\n  }\n\n  three() {\n    return 3\n  }\n  // ... same ...\n}\n"
    expected = CLASS.replace("return 2\n", "return 22\n").replace(
        "  }\n}\n", "  }\n\n  three() {\n    return 3\n  }\n}\n"
    )
    assert one("a.js", CLASS, f"```js\n{answer}```\n") == expected
    python = "import os\n\n\nclass C:\n    def one(self):\n        return 1\n\n    def two(self):\n        return 2\n\n\nx = C()\n"
    said = "class C:\n    # ... existing code ...\n    def three(self):\n        return 3\n    # ... rest of the class ...\n"
    assert one("a.py", python, f"```python\n{said}```\n") == python.replace(
        "return 2\n", "return 2\n\n    def three(self):\n        return 3\n"
    )


@pytest.mark.parametrize(
    "answer",
    ["class D {\n  // ... same ...\n  five() {\n  }\n  // ... same ...\n}\n",
     "class C {\n  // ... same ...\n  five() {\n    // ... same ...\n    x()\n  }\n  // ... same ...\n}\n",
     "class C {\n  // ... same ...\n  field = 1\n  five() {\n  }\n  // ... same ...\n}\n",
     "class C {\n  // ... same ...\n  five = 1\n  // ... same ...\n}\n"],
)  # fmt: skip
def test_members_that_cannot_be_placed_are_refused(answer: str) -> None:
    assert kind(one("a.js", CLASS, f"```js\n{answer}```\n")) == "elision"


def test_two_members_with_one_name_are_no_place() -> None:
    twice = CLASS.replace("two()", "one()")
    answer = "class C {\n  // ... same ...\n  one() {\n    x()\n  }\n  // ... same ...\n}\n"
    assert kind(one("a.js", twice, f"```js\n{answer}```\n")) == "elision"


def test_a_definition_between_gaps_takes_the_place_of_its_namesake() -> None:
    answer = "# ... existing code ...\n\ndef second():\n    if x:\n        return 5\n\n# ... existing code ...\n"
    assert one("a.py", PYTHON, f"```python\n{answer}```\n") == PYTHON.replace(
        "    total = 0\n    return total + 1", "    if x:\n        return 5"
    )


# --- entities


def test_a_file_of_entities_is_written_as_it_was_meant() -> None:
    page = "<!doctype html>\n<p>a &lt; b</p>\n"
    escaped = page.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")
    assert after({}, f"FILE: a.html\n```html\n{escaped}```\n", "a.html") == {"a.html": page}
    assert after({}, f"FILE: a.html\n```html\n{page}```\n", "a.html") == {"a.html": page}
    assert after({}, "FILE: a.html\n```html\nA &amp; B\n```\n", "a.html") == {"a.html": "A &amp; B\n"}
    script = "if (a &lt; b &amp;&amp; c) {\n  d()\n}\n"
    assert after({}, f"FILE: a.js\n```js\n{script}```\n", "a.js") == {"a.js": "if (a < b && c) {\n  d()\n}\n"}
    kept = 'let a = "&lt;b&gt;"\n'
    assert after({}, f"FILE: a.js\n```js\n{kept}```\n", "a.js") == {"a.js": kept}


# --- reasoning


def test_what_a_model_thinks_aloud_is_no_answer() -> None:
    draft = "FILE: a.py\n```python\nx = 1\n```\n"
    final = draft.replace("1", "2")
    expected = (WholeFile("a.py", "x = 2\n"),)
    assert edits(f"<think>\nMaybe:\n{draft}</think>\n\n{final}") == expected
    assert edits(f"<think></think><thinking>{draft}</thinking>{final}") == expected
    assert edits(f"{draft}</think>\n{final}") == expected
    assert kind(parse_answer(f"<think>\n{draft}", "a.py")) == "empty"
    assert without_reasoning("x = '<think>'\n") == "x = '<think>'\n"
    # In a block the tag is code.
    page = "FILE: a.html\n```html\n<think>\nx\n</think>\n```\n"
    assert edits(page) == (WholeFile("a.html", "<think>\nx\n</think>\n"),)
    block = "FILE: a.html\n<<<<<<< SEARCH\n</think>\n=======\n</thought>\n>>>>>>> REPLACE\n"
    assert edits(block) == (Replace("a.html", "</think>", "</thought>"),)


# --- keys of YAML files


def key(action: str, target: str, value: object = None) -> str:
    said = {"type": "key", "action": action, "target": target}
    return json.dumps({"path": "c.yml", "edits": [said | ({} if value is None else {"new_content": value})]})


COMPOSE = """\
---
# what runs
services:

  db:
    image: postgres:16   # the store
    ports:
      - "5432"
      - 1

  web: {image: nginx}
volumes: [a, b]
"""


def test_keys_of_yaml_are_changed_where_they_stand() -> None:
    assert one("c.yml", COMPOSE, key("replace", "services.db.image", "postgres:17")) == COMPOSE.replace("16 ", "17 ")
    assert one("c.yml", COMPOSE, key("add", "services.db.restart", "always")) == COMPOSE.replace(
        "      - 1\n", "      - 1\n    restart: always\n"
    )
    assert one("c.yml", COMPOSE, key("remove", "services.db.ports")) == COMPOSE.replace(
        '    ports:\n      - "5432"\n      - 1\n', ""
    )
    assert one("c.yml", "a: 1\nb: 2", key("add", "c", 3)) == "a: 1\nb: 2\nc: 3\n"
    for edit in (key("replace", "services.web.image", "caddy"), key("replace", "volumes", ["c"]), key("add", "x.y", 1)):
        done = one("c.yml", COMPOSE, edit)
        assert isinstance(done, str)
        assert done.startswith(
            "---\n# what runs\nservices:\n\n  db:\n    image: postgres:16   # the store\n    ports:\n      - "
        )
    assert one("c.yml", "a: |\n  x\n  y\nb: 1\n", key("replace", "a", "z")) == "a: |-\n  z\nb: 1\n"
    assert one("c.yml", "", key("add", "a", 1)) == kind_free(one("c.yml", "", key("add", "a", 1)))


def kind_free(outcome: str | Refusal) -> str | Refusal:
    """An empty file gets its first key."""
    assert outcome == "a: 1\n"
    return outcome


def test_operations_after_a_file_line_are_operations() -> None:
    call = {
        "path": "a.py",
        "edits": [{"type": "function", "target": "first", "action": "replace", "new_content": "def first(): ..."}],
    }
    expected = (Operation("a.py", "replace", "function", "first", "def first(): ..."),)
    assert edits(f"FILE: a.py\n```json\n{json.dumps(call)}\n```\n", "a.py") == expected


def test_a_patch_that_does_not_fit_tells_only_its_first_refusals() -> None:
    block = "".join(f"<<<<<<< SEARCH\nnothing_{at}\n=======\nx\n>>>>>>> REPLACE\n" for at in range(30))
    found = parse_answer(f"FILE: a.txt\n{block}", "a.txt")
    assert not isinstance(found, Refusal)
    assert len(apply_patch(FileTree({"a.txt": b"y\n"}), found).refused) == 10


# --- what looked right and was not


def replaced(search: str, replace: str) -> str:
    return f"<<<<<<< SEARCH\n{search}\n=======\n{replace}\n>>>>>>> REPLACE\n"


def test_new_lines_keep_their_tabs() -> None:
    make = "run:\n\tpython -m app\n"
    assert one("Makefile", make, replaced("run:", "cov:\n\tpytest --cov\n\nrun:")) == f"cov:\n\tpytest --cov\n\n{make}"
    go = "func main() {\n\trun()\n}\n"
    block = replaced("\trun()", "\tif ok {\n\t\trun()\n\t}")
    assert one("a.go", go, block) == "func main() {\n\tif ok {\n\t\trun()\n\t}\n}\n"


@pytest.mark.parametrize(
    ("line", "search", "new"),
    [("TIMEOUT = 30", "TIMEOUT = 3", "TIMEOUT = 5"), ("sqlalchemy==2.0.36", "sqlalchemy==2.0.3", "sqlalchemy==2.1.0"),
     ("EXPOSE 3000", "EXPOSE 300", "EXPOSE 800"), ("a_total = 1", "total = 1", "count = 2")],
)  # fmt: skip
def test_a_quote_that_ends_inside_a_word_or_a_number_is_of_another_file(line: str, search: str, new: str) -> None:
    assert kind(one("a.txt", f"{line}\n", replaced(search, new))) == "not_found"


def test_a_part_of_a_line_may_begin_anywhere_where_nothing_changes_there() -> None:
    assert one("a.css", "a { color: red; }\n", replaced("lor: red", "lor: tan")) == "a { color: tan; }\n"


def test_what_is_added_already_is_not_added_twice() -> None:
    text = "import express from 'x'\nimport cors from 'cors'\nlet a = 1\n"
    assert (
        kind(one("a.js", text, replaced("import express from 'x'", "import express from 'x'\nimport cors from 'cors'")))
        == "conflict"
    )
    assert kind(one("a.js", text, replaced("let a = 1", "import cors from 'cors'\nlet a = 1"))) == "conflict"
    # A brace may well come again.
    assert one("a.txt", "a\n}\n", replaced("a", "a\n}")) == "a\n}\n}\n"


def test_a_markdown_file_may_have_no_heading() -> None:
    assert one("a.md", "Some words.\n", "FILE: a.md\n```\nOther words.\n```\n") == "Other words.\n"


def test_a_block_to_run_is_no_part_of_the_file_whatever_it_says_of_itself() -> None:
    go = "package main\n\nfunc main() {}\n"
    for words in ("Run it like this:", "Restart:"):
        assert edits(f"FILE: a.go\n```go\n{go}```\n\n{words}\n\n```\ngo run .\n```\n") == (WholeFile("a.go", go),)
    assert edits("FILE: a.py\n```python\nx = 1\n```\nThen:\n```\npip install x\n```\n") == (
        WholeFile("a.py", "x = 1\n"),
    )
    assert edits("FILE: a.go\n```go\na\n```\nx = 1\n```\nb\n```\n") == (WholeFile("a.go", "a\n```\nx = 1\n```\nb\n"),)


def test_several_patches_and_what_stands_beside_them() -> None:
    patch = "*** Begin Patch\n*** Update File: {}\n@@\n-x\n+y\n*** End Patch\n"
    both = patch.format("a.py") + "And:\n" + patch.format("b.py") + "FILE: c.py\n```python\nz = 1\n```\n"
    assert edits(both) == (Replace("a.py", "x", "y"), Replace("b.py", "x", "y"), WholeFile("c.py", "z = 1\n"))
    assert kind(parse_answer(patch.format("a.py").replace("*** End Patch\n", ""), "a.py")) == "truncated"
    assert kind(parse_answer(patch.format("a.py") + "FILE: c.py\n```python\nz = 1\n", "a.py")) == "truncated"
    doc = "# Patches\n\nThey look so:\n\n*** Delete File: a.py\n"
    assert edits(f"FILE: doc.md\n````markdown\n{doc}````\n") == (WholeFile("doc.md", doc),)
    assert parse_answer("*** End Patch\nWords.\n", "a.py") == Refusal(
        "no_edit", "a.py", "The answer had no FILE section with a fenced block or an edit in it."
    )


def test_edits_and_a_whole_block_for_one_file_are_unclear() -> None:
    answer = f"FILE: a.py\n{replaced('x = 1', 'x = 2')}\n```python\nx = 3\n```\n"
    assert kind(parse_answer(answer, "a.py")) == "no_edit"
    many = "<<<<<<< SEARCH\n" + "=======\n" * 30 + ">>>>>>> REPLACE\n"
    assert kind(parse_answer(many, "a.rst")) == "ambiguous"


def test_two_calls_one_after_the_other_are_two_edits() -> None:
    calls = [json.dumps({"path": f"{name}.py", "old_str": "x", "new_str": "y"}) for name in "ab"]
    assert edits("\n".join(["I will:", *calls])) == (Replace("a.py", "x", "y"), Replace("b.py", "x", "y"))
    nested = json.dumps({"edits": [{"path": "a.py", "old_str": "x", "new_str": "y"}]}, indent=0)
    assert edits(f"So:\n{nested}\n") == (Replace("a.py", "x", "y"),)


def test_json_that_means_a_place_is_no_whole_file_and_halves_of_characters_are_mended() -> None:
    assert kind(parse_answer(json.dumps({"path": "a.py", "line": 3, "content": "x"}), "a.py")) == "no_edit"
    (edit,) = edits('{"path": "a.py", "old_str": "x", "new_str": "\\ud83d"}')
    assert edit == Replace("a.py", "x", "\ufffd")
    (two,) = edits('{"edits": [{"path": "a.py", "old_str": "x", "new_str": "y", "more": [1]}]}')
    assert two == Replace("a.py", "x", "y")


def test_names_in_the_first_line_of_a_fence_are_paths_of_files() -> None:
    assert edits("```javascript b.js\nlet b\n```\n", "a.js") == (WholeFile("b.js", "let b\n"),)
    assert edits('```python title="Usage"\nx\n```\n', "a.py") == (WholeFile("a.py", "x\n"),)
    assert edits("```yaml profile=dev\nx: 1\n```\n", "a.yml") == (WholeFile("a.yml", "x: 1\n"),)
    assert edits("File: a.py \u2013 raise the time-out\n```python\nx\n```\n") == (WholeFile("a.py", "x\n"),)
    assert edits("File: the settings module\n```python\nx\n```\n", "a.py") == (WholeFile("a.py", "x\n"),)


@pytest.mark.parametrize(
    "stub",
    ["# bleibt unver\u00e4ndert", "pass  # unchanged", "raise NotImplementedError  # keep your existing logic", "# el resto igual",
     "[... rest of the section ...]", "*(unchanged)*", '"...": "..."', "# \u539f\u6709\u903b\u8f91"],
)  # fmt: skip
def test_a_line_that_says_that_something_stays_is_no_code(stub: str) -> None:
    old = f"head = 1\n{body(4)}\ntail = 2\n"
    assert kind(one("a.txt", old, f"FILE: a.txt\n```\nhead = 1\n    {stub}\ntail = 2\n```\n")) in ("shrinks", "elision")


def test_an_ellipsis_is_a_body_in_python() -> None:
    text = "class P(Protocol):\n    def a(self) -> int:\n        ...\n"
    assert after({}, f"FILE: a.py\n```python\n{text}```\n", "a.py") == {"a.py": text}


def test_a_class_that_shows_one_of_its_methods_is_no_whole_class() -> None:
    methods = "".join(f"    def m{at}(self):\n        return {at}\n\n" for at in range(3))
    text = f"import os\n\n\nclass C:\n{methods}\nx = C()\n"
    assert (
        kind(
            one(
                "a.py",
                text,
                "```python\nclass C:\n    def m1(self):\n        return 11\n\n    def m2(self):\n        return 2\n```\n",
            )
        )
        == "shrinks"
    )


def test_parts_that_lose_half_of_a_thing_are_refused() -> None:
    steps = "".join(f"      - run: step{at}\n" for at in range(4))
    text = f"name: ci\njobs:\n  lint:\n    steps:\n{steps}  test:\n    steps:\n{steps}"
    assert kind(one("ci.yml", text, "```yaml\njobs:\n  test:\n    steps:\n      - run: x\n```\n")) == "shrinks"


def test_keys_of_json_do_not_go_with_a_part() -> None:
    text = json.dumps({"name": "a", "scripts": {"dev": "x"}, "dependencies": {"b": "1"}}, indent=2) + "\n"
    assert kind(one("package.json", text, '```json\n{\n  "scripts": {\n    "dev": "y"\n  }\n}\n```\n')) == "shrinks"
    noted = text.replace("{\n", "{\n  // why\n", 1)
    assert kind(one("tsconfig.json", noted, '```json\n{\n  "scripts": {\n    "dev": "y"\n  }\n}\n```\n')) == "shrinks"
    assert kind(one("b.json", "[1,\n2,\n3,\n4\n]\n", "```json\n[5]\n```\n")) == "shrinks"


def test_parts_that_lie_in_one_another_are_refused() -> None:
    text = "services:\n  web:\n    image: a\n    ports: [1]\n  db:\n    image: b\n    ports: [2]\nvolumes:\n  v: {}\nnetworks:\n  n: {}\n"
    assert (
        kind(
            one(
                "c.yml",
                text,
                "```yaml\nservices:\n  web:\n    image: a\n    ports: [1]\n  x: 1\n  y: 1\ndb:\n  image: c\n  ports: [3]\n```\n",
            )
        )
        == "shrinks"
    )


def test_losses_all_over_a_file_count_together() -> None:
    old = "".join(f"head{at}\n" + "".join(f"    step{at}{n}\n" for n in range(7)) for at in range(8))
    new = "".join(f"head{at}\n" for at in range(8))
    assert kind(one("a.txt", old, f"```\n{new}```\n")) == "shrinks"


@pytest.mark.parametrize(
    ("path", "old", "new"),
    [("a.go", "func a() {\n\tx()\n}\n\nfunc b() {\n\ty()\n}\n", "func a() {\n\tx()\n}\n\nfunc b() {\n\ty2()\n"),
     ("a.vue", "<script>\nlet a\n</script>\n<style>\n.a {}\n</style>\n", "<script>\nlet a\n</script>\n<style>\n.b {}\n")],
)  # fmt: skip
def test_a_file_that_stays_open_was_cut(path: str, old: str, new: str) -> None:
    assert kind(one(path, old, f"FILE: {path}\n```\n{new}```\n")) == "truncated"


def test_markers_and_line_numbers_are_no_part_of_a_file() -> None:
    inner = f"# a.py\n{replaced('x = 1', 'x = 2')}"
    done = apply_patch(FileTree({"a.py": b"x = 1\n"}), [WholeFile("a.py", inner)])
    assert done.refused[0].kind == "no_edit"
    kept = apply_patch(FileTree({"doc.md": inner.encode()}), [WholeFile("doc.md", inner + "more\n")])
    assert kept.tree["doc.md"].decode() == inner + "more\n"
    numbered = "   1 | a = 1\n   2 | b = 2\n   3 | c = 3\n"
    assert one("a.py", "a = 1\nb = 2\n", f"FILE: a.py\n```python\n{numbered}```\n") == "a = 1\nb = 2\nc = 3\n"


def test_large_files_that_differ_everywhere_are_compared_by_what_they_have_once() -> None:
    old = "".join(f"function f{at}() {{\n  return {at}\n}}\n\n" for at in range(500))
    new = old.replace("return", "return 1 +")
    assert one("a.txt", old, f"```\n{new}```\n") == new
    shifted = "x\n" * 3 + old[: len(old) // 2] + "middle\n" + old[len(old) // 2 :]
    assert one("a.txt", old, f"```\n{shifted}```\n") == shifted
    other = "".join(f"b{at}\nsame\n" for at in range(700))
    assert one("a.txt", "".join(f"a{at}\nsame\n" for at in range(700)), f"```\n{other}```\n", may_remove=True) == other


# --- parts of files that no grammar here reads, and of things that hold others

GO = "package m\n\nfunc one() int {\n\tx := 1\n\treturn x\n}\n\nfunc two() int {\n\ty := 2\n\treturn y\n}\n\nfunc three() int {\n\treturn 3\n}\n"
TABLES = "CREATE TABLE a (\n    id INT,\n    n TEXT\n);\n\nCREATE TABLE b (\n    id INT\n);\n\nCREATE TABLE c (\n    id INT,\n    m TEXT\n);\n"
RUBY = "class Booking\n  belongs_to :room\n  scope :open\n\n  def nights\n    1\n  end\n\n  def price\n    2\n  end\n\n  def cancel\n    3\n  end\nend\n"
SCREEN = "@media (max-width: 640px) {\n  .a {\n    x: 1;\n  }\n\n  .b {\n    y: 1;\n  }\n}\n"
JOBS = "on: push\n\njobs:\n  lint:\n    runs-on: x\n    steps:\n      - run: a\n  test:\n    runs-on: x\n    steps:\n      - run: b\n      - run: c\n"
TWO_METHODS = "class A:\n    def a(self):\n        return 1\n\n    def b(self):\n        return 2\n"
STAGES = (
    "FROM node AS build\nWORKDIR /app\nRUN make\n\nFROM node\nCOPY --from=build /app/dist ./dist\nEXPOSE 80\nCMD run\n"
)
COUNTER = "<script>\n\tlet a = 1;\n\tlet b = 2;\n</script>\n\n<p>{a}</p>\n\n<style>\n\tp { x: 1 }\n</style>\n"


@pytest.mark.parametrize(
    ("path", "file", "part", "old", "new"),
    [("a.go", GO, "func two() int {\n    y := 2\n    return y + 1\n}\n", "return y", "return y + 1"),
     ("a.sql", TABLES, "CREATE TABLE a (\n    id BIGINT,\n    n TEXT\n);\n\nCREATE TABLE c (\n    id INT,\n    m TEXT\n);\n", "id INT,\n    n", "id BIGINT,\n    n"),
     ("Makefile", "all: a b\n\techo all\n\na:\n\techo a\n\nb:\n\techo b\n", "b:\n    echo bb\n", "echo b\n", "echo bb\n"),
     ("a.css", SHEET, ".a {\n  color: black;\n}\n\n.b {\n  color: white;\n}\n", "red;\n}\n\n.b {\n  color: blue", "black;\n}\n\n.b {\n  color: white"),
     ("a.svelte", COUNTER, "<script>\n  let a = 1;\n  let b = 3;\n</script>\n", "b = 2", "b = 3")],
)  # fmt: skip
def test_parts_are_placed_by_their_first_lines_and_with_the_tabs_of_the_file(
    path: str, file: str, part: str, old: str, new: str
) -> None:
    assert one(path, file, f"FILE: {path}\n```\n{part}```\n") == file.replace(old, new)


@pytest.mark.parametrize(
    ("path", "file", "part"),
    [("a.rb", RUBY, "class Booking\n  def price\n    4\n  end\nend\n"),
     ("a.css", f"{SHEET}\n{SCREEN}", "@media (max-width: 640px) {\n  .b {\n    y: 2;\n  }\n\n  .n {\n    z: 1;\n  }\n}\n"),
     ("a.yml", JOBS, "jobs:\n  test:\n    runs-on: y\n    steps:\n      - run: b\n      - run: c\n"),
     ("Dockerfile", STAGES, "FROM node:22\nCOPY --from=build /app/dist ./dist\nEXPOSE 80\nUSER node\nCMD run\n"),
     (".gitignore", "a/\nb/\n.env\n", "*.log\n"),
     (".gitignore", "a/\nb/\n.env\n", "*.log\n*.tmp\n"),
     ("a.py", f"import os\n\n\n{TWO_METHODS}\n\nx = 1\ny = 2\nz = 3\n", "class A:\n    def b(self, n):\n        return n\n"),
     ("a.js", "f(() => {\n  two() {\n    return 1\n    let x = 1\n    let y = 2\n    let z = 3\n", "two() {\n  return 2\n}\n"),
     ("a.min.css", "".join(f".c{at}{{color:red;margin:{at}px}}" for at in range(60)) + "\n", ".c5{color:blue}\n"),
     ("routes.js", "export const routes = {\n  a: 1,\n  b: 2,\n  c: 3,\n};\n", "export const routes = {\n  // existing routes\n  d: 4,\n};\n"),
     ("a.tsx", "export const A = () => (\n  <tr>\n    <td>{a}</td>\n    <td>{b}</td>\n  </tr>\n)\n", "export const A = () => (\n  <tr>\n    {/* cells */}\n  </tr>\n)\n")],
)  # fmt: skip
def test_a_part_of_a_part_and_what_stands_for_code_delete_nothing(path: str, file: str, part: str) -> None:
    assert kind(one(path, file, f"FILE: {path}\n```\n{part}```\n")) in ("shrinks", "elision")


def test_a_rule_that_stands_outside_is_not_changed_inside_another() -> None:
    sheet = f".a {{\n  p: 1;\n  q: 2;\n  r: 3;\n}}\n\n{SCREEN}"
    gap = "/* ... existing styles ... */\n"
    assert kind(one("a.css", sheet, f"FILE: a.css\n```css\n{gap}\n.a {{\n  x: 2;\n}}\n\n{gap}```\n")) == "elision"


def test_dots_in_the_place_of_a_body_stand_for_it() -> None:
    dots = PYTHON.replace("    total = 0\n    return total\n", "    ...\n").replace("total + 1", "total + 2")
    assert one("a.py", PYTHON, f"FILE: a.py\n```python\n{dots}```\n") == PYTHON.replace("total + 1", "total + 2")


def test_a_whole_file_in_blanks_keeps_the_tabs_of_the_old_one() -> None:
    file = "all: a\n\techo all\n\na:\n\techo a\n"
    new = "all: a\n    echo all\n\na:\n    echo a\n    echo b\n"
    assert one("Makefile", file, f"FILE: Makefile\n```\n{new}```\n") == f"{file}\techo b\n"
    # Who turns every tab into blanks wants blanks.
    blanks = file.replace("\t", "    ")
    assert one("notes.txt", file, f"FILE: notes.txt\n```\n{blanks}```\n") == blanks


def test_what_ends_otherwise_was_meant_so() -> None:
    assert (
        one("a.md", "Rose St 1\nTown\n", "FILE: a.md\n```markdown\nRose St 1  \nTown\n```\n") == "Rose St 1  \nTown\n"
    )


# --- which file is meant


@pytest.mark.parametrize(
    "header",
    ["### 1. `b.css`", "### Update `b.css`", "Now change `b.css`:", "**In `b.css`**", "<path>b.css</path>"],
)
def test_a_heading_or_a_line_before_a_colon_names_the_file(header: str) -> None:
    assert edits(f"{header}\n\n```css\nx\n```", "a.py") == (WholeFile("b.css", "x\n"),)


def test_a_comment_on_top_of_a_block_names_the_file() -> None:
    answer = "```python\n# app/a.py\nx = 1\n```\n\n```js\n// web/b.js\nlet y\n```\n"
    done = after({"app/a.py": "x = 0\n", "web/b.js": "let z\n"}, answer, "app/a.py")
    assert done == {"app/a.py": "x = 1\n", "web/b.js": "let y\n"}
    # A comment that only looks like a path, and one in a block that a header names, name nothing.
    assert edits("```python\n# 1/2 of it\nx = 1\n```\n", "a.py") == (WholeFile("a.py", "# 1/2 of it\nx = 1\n"),)
    assert edits("FILE: a.py\n```python\n# lib/b.py\nx = 1\n```\n")[0].path == "a.py"


def test_a_block_above_the_first_named_file_is_asked_about() -> None:
    assert kind(parse_answer(f"```py\n{PYTHON}```\n\nFILE: b.css\n```css\nx\n```\n", "a.py")) == "no_edit"


@pytest.mark.parametrize("said", ["orders.py", "shop/app/orders.py"])
def test_a_file_at_a_slip_of_its_path_is_no_new_file(said: str) -> None:
    tree = {"app/orders.py": PYTHON}
    assert kind(after(tree, f"FILE: {said}\n```python\n{PYTHON}# more\n```\n", said)) == "missing_file"
    other = after(tree, f"FILE: {said}\n```python\nprint('something else')\n```\n", said)
    assert isinstance(other, dict)
    assert other[said] == "print('something else')\n"


def test_a_deletion_in_a_list_and_json_beside_blocks_are_done_too() -> None:
    assert edits(f"- DELETE: `b.py`\n\nFILE: a.py\n{replaced('x', 'y')}", "a.py") == (
        Delete("b.py"),
        Replace("a.py", "x", "y"),
    )
    beside = f'FILE: a.py\n{replaced("x", "y")}\n{{"path": "a.py", "old_str": "m", "new_str": "n"}}\n'
    assert edits(beside, "a.py") == (Replace("a.py", "x", "y"), Replace("a.py", "m", "n"))


# --- what an edit says about its place


def test_a_part_of_a_line_brings_lines_at_their_own_depth() -> None:
    file = "db:\n    image: pg:15\n    restart: no\n"
    answer = '{"path": "a.yaml", "old_str": "image: pg:15", "new_str": "image: pg:17\\n    ports: x"}'
    assert one("a.yaml", file, answer) == "db:\n    image: pg:17\n    ports: x\n    restart: no\n"


def test_a_line_in_a_list_is_not_added_twice() -> None:
    diff = "```diff\n--- a/.gitignore\n+++ b/.gitignore\n@@ -1,2 +1,3 @@\n a/\n b/\n+.env\n```\n"
    assert kind(one(".gitignore", "a/\nb/\n.env\n", diff)) == "conflict"
    assert one(".gitignore", "a/\nb/\n", diff) == "a/\nb/\n.env\n"


def test_a_hunk_without_context_stays_in_what_it_names() -> None:
    file = "class D:\n    def save(self):\n        x = 1\n\n    def touch(self):\n        self.dirty = True\n        y = 2\n"
    diff = "```diff\n--- a/a.py\n+++ b/a.py\n@@ -2,3 +2,3 @@ {}\n-        self.dirty = True\n+        self.dirty = False\n```\n"
    assert kind(one("a.py", file, diff.format("def save(self):"))) == "conflict"
    for named in ("def touch(self):", "class D:", "def gone(self):"):
        assert one("a.py", file, diff.format(named)) == file.replace("True", "False")


def test_a_diff_without_a_fence_that_breaks_off_is_refused() -> None:
    file = "a\nb\nc\nd\ne\nf\ng\n"
    diff = "--- a/a.txt\n+++ b/a.txt\n@@ -1,{0} +1,{0} @@\n a\n-b\n+bb"
    assert kind(one("a.txt", file, diff.format(5))) == "truncated"
    assert one("a.txt", file, diff.format(2)) == file.replace("b", "bb")


def test_context_that_the_file_has_once_elsewhere_tells_against_a_place() -> None:
    file = "db:\n    image: postgres\n    environment:\n        USER: app\ncache:\n    image: redis\n"
    search = "cache:\n    image: redis\n    environment:\n        USER: app"
    assert kind(one("a.yaml", file, f"FILE: a.yaml\n{replaced(search, search.replace('app', 'shop'))}")) == "not_found"


def test_a_key_is_not_added_to_json_twice() -> None:
    file = '{\n  "build": "vite build",\n  "preview": "vite preview"\n}\n'
    add = replaced('  "build": "vite build",', '  "build": "vite build",\n  "preview": "vite preview",')
    refused = one("package.json", file, f"FILE: package.json\n{add}")
    assert isinstance(refused, Refusal)
    assert "'preview' twice" in refused.message


def test_tabs_of_a_model_become_the_blanks_of_the_file() -> None:
    file = "if (a) {\n  x()\n}\n"
    search, new = "if (a) {\n\tx()\n}", "if (a) {\n\tif (b) {\n\t\ty()\n\t}\n\tx()\n}"
    wanted = "if (a) {\n  if (b) {\n    y()\n  }\n  x()\n}\n"
    assert one("a.js", file, f"FILE: a.js\n{replaced(search, new)}") == wanted
    flat = "FILE: a.js\n" + replaced("x()", "x()\n\ty()")
    assert one("a.js", "x()\n", flat) == "x()\n\ty()\n"


# --- parts that are as long as the file, of kinds that a grammar does not tell, and what is no file at all

TOML = '[server]\nport = 1\n\n[log]\nlevel = "a"\njson = false\n\n[db]\nurl = "x"\npool = 5\n'
MANUAL = "Intro\n=====\n\nHello.\n\nUsage\n=====\n\nRun it.\nTwice.\n\nLicence\n=======\n\nMIT.\n"
SERVICES = (
    "services:\n  db:\n    image: pg\n    volumes:\n      - data:/var\n  web:\n    image: w\n    ports:\n      - 80\n"
)


@pytest.mark.parametrize(
    ("path", "file", "part", "new"),
    [("a.toml", TOML, '[log]\nlevel = "b"\njson = true\n', TOML.replace('"a"', '"b"').replace("false", "true")),
     ("a.ini", "key = 1\nother = 2\n", "key = 1\nother = 3\n", "key = 1\nother = 3\n"),
     ("u.py", "def slug(s):\n    return s\n\n\ndef trim(s):\n    return s\n", "def slug(s):\n    a = 1\n    b = 2\n    c = 3\n    return a\n",
      "def slug(s):\n    a = 1\n    b = 2\n    c = 3\n    return a\n\n\ndef trim(s):\n    return s\n"),
     ("a.rst", MANUAL, "Usage\n=====\n\nRun it.\nThrice.\n", MANUAL.replace("Twice", "Thrice"))],
)  # fmt: skip
def test_tables_and_titles_are_parts(path: str, file: str, part: str, new: str) -> None:
    assert one(path, file, f"FILE: {path}\n```\n{part}```\n") == new


@pytest.mark.parametrize(
    ("path", "file", "part"),
    [("a.kt", "package u\n\nfun a() = 1\n\nfun b() = 2\n", "fun a(): Int {\n    val x = 1\n    val y = 2\n    return x + y\n}\n"),
     ("run.sh", "#!/bin/sh\nset -e\necho hi\n", "die() {\n  echo no\n  exit 1\n}\n"),
     ("a.csv", "name,age\nAnn,1\nBob,2\nCem,3\nDua,4\n", "name,age\nAnn,5\n"),
     ("a.yaml", "kind: A\nx: 1\n---\nkind: B\ny: 1\n", "kind: A\nx: 2\n"),
     ("package.json", '{"name": "a", "scripts": {"x": "1"}}\n', '{"scripts": {"x": "2"}}\n'),
     ("a.json", '{"name": "a"}\n', '[{"op": "replace", "path": "/name", "value": "b"}]\n'),
     ("Dockerfile", "FROM a\nCOPY . .\nCMD x\n", "USER node\nCMD y\n"),
     (".env.local", "A=1\nB=2\n", "C=3\nD=4\nE=5\n"),
     ("a.scss", ".b {\n  p: 1;\n  q: 2;\n\n  &:hover {\n    r: 3;\n  }\n}\n\n.c {\n  x: 1;\n}\n", ".b {\n  p: 1;\n  q: 3;\n  s: 4;\n}\n"),
     ("a.vue", "<template>\n  <p/>\n</template>\n<script>\nlet a\n</script>\n<style>\np {}\n</style>\n", "<template>\n  <b/>\n</template>\n<script>\nlet a\n</script>\n")],
)  # fmt: skip
def test_a_part_is_no_file_however_long_it_is(path: str, file: str, part: str) -> None:
    assert kind(one(path, file, f"FILE: {path}\n```\n{part}```\n")) == "shrinks"
    if path != "a.scss":
        assert one(path, file, f"FILE: {path}\n```\n{part}```\n", may_remove=True)


def test_a_key_of_the_whole_file_is_not_put_into_a_service() -> None:
    answer = "FILE: compose.yaml\n```yaml\nvolumes:\n  data:\n```\n"
    assert kind(one("compose.yaml", SERVICES, answer)) == "shrinks"


def test_an_example_of_its_use_is_no_file() -> None:
    use = "It is fine. You would call it so:\n\n```python\nprint(slug('a'))\n```\n"
    assert kind(one("u.py", "def slug(s):\n    return s\n", use)) == "no_edit"


@pytest.mark.parametrize(
    ("path", "language", "fits"),
    [("a.kt", "kotlin", True), ("a.rs", "rust", True), ("a.rs", "toml", False), ("a.kt", "xml", False), ("bin/run", "sh", True),
     ("hooks/pre-commit", "bash", True), ("bin/run", "diff", False), ("a.xyz", "xml", True), ("a.xyz", "log", False), ("nginx.conf", "nginx", True), ("a.cpp", "c++", True), ("a.xyz", "xyz", True)],
)  # fmt: skip
def test_blocks_are_of_the_language_of_their_file(path: str, language: str, fits: bool) -> None:
    found = parse_answer(f"FILE: {path}\n```{language}\nx\n```\n", path)
    assert isinstance(found, Refusal) != fits


def test_json_below_the_name_of_a_file_is_what_the_file_says() -> None:
    text = '{"path": "b.txt", "content": "x"}\n'
    assert edits(f"FILE: mock.yaml\n```yaml\n{text}```\n") == (WholeFile("mock.yaml", text),)


def test_what_follows_a_patch_is_done_too() -> None:
    patch = "*** Begin Patch\n*** Update File: a.py\n@@\n-x = 1\n+x = 2\n*** End Patch\n\n"
    files = {"a.py": "x = 1\n", "b.py": "y = 1\n"}
    for more, left in ((f"**b.py**\n{replaced('y = 1', 'y = 2')}", "y = 2\n"), ("DELETE: b.py\n", None)):
        done = after(files, patch + more, "a.py")
        assert isinstance(done, dict)
        assert (done["a.py"], done.get("b.py")) == ("x = 2\n", left)


def test_an_answer_that_ends_with_a_name_or_half_a_marker_was_cut_off() -> None:
    whole_edit = f"FILE: a.py\n{replaced('x', 'y')}"
    for end in ("FILE: b.py\n", "<<<<<<< SEA"):
        assert kind(parse_answer(f"{whole_edit}\n{end}", "a.py")) == "truncated"


def test_the_second_of_two_that_read_alike_is_changed_where_it_stands() -> None:
    file = "def f(a):\n    x = load(a)\n    log(x)\n    return x\n\n\ndef g(a, b):\n    x = load(a)\n    log(x)\n    return x\n"
    search = "def g(a):\n    x = load(a)\n    log(x)\n    return x"
    found = one("a.py", file, f"FILE: a.py\n{replaced(search, search.replace('log(x)', 'print(x)'))}")
    assert isinstance(found, Refusal) or "def f(a):\n    x = load(a)\n    log(x)" in found


def test_numbers_of_rows_are_data_and_those_of_a_tool_are_not() -> None:
    rows = "1\tAnn\n2\tBob\n3\tCem\n"
    assert edits(f"FILE: a.tsv\n```\n{rows}```\n") == (WholeFile("a.tsv", rows),)
    assert one("a.tsv", "1\tAnn\n", f"FILE: a.tsv\n```\n{rows}```\n") == rows
    assert one("a.py", "y = 1\n", "FILE: a.py\n```\n1\tx = 1\n2\ty = 1\n3\tz = 1\n```\n") == "x = 1\ny = 1\nz = 1\n"


def test_entities_are_undone_where_no_grammar_tells() -> None:
    file = "fun a(): List<Int> = b\nfun c() = 1\n"
    escaped = "fun a(): List&lt;Int&gt; = b\nfun c() = 2\n"
    assert one("a.kt", file, f"FILE: a.kt\n```kotlin\n{escaped}```\n") == file.replace("1", "2")
    assert after({}, f"FILE: n.kt\n```kotlin\n{escaped}```\n", "n.kt") == {"n.kt": file.replace("1", "2")}
    kept = 'val a = "&lt;" < b\n'
    assert after({}, f"FILE: n.kt\n```kotlin\n{kept}```\n", "n.kt") == {"n.kt": kept}


def test_marks_of_a_conflict_are_no_text_of_a_file() -> None:
    for text in (
        "x = 1\n<<<<<<< HEAD\ny = 1\n=======\ny = 2\n>>>>>>> new\n",
        "<<<<<<< search\nx\n=======\ny\n>>>>>>> replace\n",
    ):
        done = apply_patch(FileTree({"a.py": b"x = 1\n"}), [WholeFile("a.py", text)])
        assert [refused.kind for refused in done.refused] == ["no_edit"]


@pytest.mark.parametrize(
    ("path", "line"),
    [("a.tex", "% ..."), ("a.erb", "<%# as above %>"), ("a.hs", "{- ... -}"), ("a.lua", "--[[ ... ]]"), ("a.yaml", "- ..."),
     ("a.rs", "fn b() { ... }"), ("a.html", "<footer>…</footer>"), ("a.kt", "fun b() { /* unchanged */ }"), ("a.rst", ".. (no changes here)")],
)  # fmt: skip
def test_code_is_left_out_in_comments_of_every_language(path: str, line: str) -> None:
    body_of = "\n".join(f"  step {at} of it" for at in range(6))
    file = f"first line\nopens it\n{body_of}\ncloses it\nlast line\n"
    found = one(path, file, f"FILE: {path}\n```\nfirst line\nopens it\n{line}\ncloses it\nlast one\n```\n")
    assert isinstance(found, Refusal) or "step 5 of it" in found


def test_a_body_that_became_a_remark_is_held_back() -> None:
    file = "fun a() {\n    b()\n}\n\nfun c() {\n    d()\n}\n"
    assert kind(one("a.kt", file, f"FILE: a.kt\n```kotlin\n{file.replace('b()', '// то же самое')}```\n")) == "shrinks"


@pytest.mark.parametrize(
    "line",
    [
        "# Dump the database...",
        "// previous value of the key, if it is still here",
        "# Other functions use these as well",
        "...",
    ],
)
def test_a_remark_beside_code_that_is_all_there_leaves_nothing_out(line: str) -> None:
    file = "a()\nb()\nc()\n"
    assert one("a.txt", file, f"FILE: a.txt\n```\n{line}\n{file}```\n") == f"{line}\n{file}"
    assert after({}, "FILE: n.sh\n```sh\n# Installing packages...\nb\n```\n", "n.sh") == {
        "n.sh": "# Installing packages...\nb\n"
    }


@pytest.mark.parametrize(
    ("said", "there"),
    [("a/compose.yml", "a/compose.yaml"), ("src/util/a.ts", "src/utils/a.ts"), ("lib/x.py", "lib/x.py2")],
)
def test_a_slip_in_a_path_makes_no_copy(said: str, there: str) -> None:
    done = after({there: PYTHON}, f"FILE: {said}\n```\n{PYTHON}# more\n```\n", said)
    assert isinstance(done, Refusal) == (there != "lib/x.py2")


def test_a_tag_names_the_file_and_a_smiley_opens_nothing() -> None:
    assert edits('<file path="b.toml">\n```toml\nc = 9\n```\n</file>\n', "a.toml") == (WholeFile("b.toml", "c = 9\n"),)
    assert (
        one("a.md", "# A\n\nLong text here (x).\n\nMore.\n", "FILE: a.md\n```\n# A\n\nSad :(\n\nMore.\n```\n")
        == "# A\n\nSad :(\n\nMore.\n"
    )


def test_a_word_of_a_line_may_go() -> None:
    answer = '{"path": "a.kt", "old_str": "private final ", "new_str": ""}'
    assert one("a.kt", "private final val x = 1\nval y\n", answer) == "val x = 1\nval y\n"


# --- what is left out stays, and what moves is not lost

ROUTES = 'draw do\n  root "home"\n\n  resources :posts do\n    resources :comments\n  end\n\n  get "/about"\nend\n'
CARDS = "<main>\n  <p>\n    a\n  </p>\n  <p>\n    b\n  </p>\n  <i>\n    c\n  </i>\n  <b>d</b>\n</main>\n"


def test_the_end_of_a_new_block_is_not_the_end_of_the_next_one() -> None:
    new = 'draw do\n  root "home"\n\n  namespace :admin do\n    resources :users\n  end\n\n  # ... existing routes ...\nend\n'
    found = one("routes.rb", ROUTES, f"FILE: routes.rb\n```ruby\n{new}```\n")
    assert isinstance(found, Refusal) or "resources :posts do" in found
    # One that was only changed is the same.
    changed = CARDS.replace("<i>", '<i id="x">').replace("  <b>d</b>\n", "  {/* ... existing code ... */}\n")
    done = one("a.jsx", CARDS, f"FILE: a.jsx\n```jsx\n{changed}```\n")
    assert done == CARDS.replace("<i>", '<i id="x">')


def test_keys_of_json_behind_a_gap_stay() -> None:
    file = '{\n  "name": "a",\n  "scripts": {\n    "dev": "vite"\n  },\n  "dependencies": {\n    "b": "1"\n  }\n}\n'
    answer = '{\n  // ...\n  "scripts": {\n    "dev": "vite",\n    "lint": "eslint ."\n  }\n  // ...\n}\n'
    found = one("package.json", file, f"FILE: package.json\n```json\n{answer}```\n")
    assert isinstance(found, Refusal) or '"dependencies"' in found


@pytest.mark.parametrize(
    "remark",
    [
        "*(Keep the Install and Run sections as they are)*",
        "[Install and Run sections stay the same]",
        "<!-- Install and Run unchanged -->",
    ],
)
def test_a_remark_in_brackets_stands_for_sections(remark: str) -> None:
    file = "# A\n\nSmall.\n\n## Install\n\nnpm i\n\n## Run\n\nnpm run dev\n\n## License\n\nMIT\n"
    new = f"# A\n\nSmall.\n\n{remark}\n\n## Deploy\n\nnpm run build\n\n## License\n\nMIT\n"
    assert kind(one("README.md", file, f"FILE: README.md\n```markdown\n{new}```\n")) == "shrinks"


def test_what_moves_to_a_new_file_is_not_lost() -> None:
    routes = "".join(
        f"@app.get('/{name}')\ndef {name}():\n    return load('{name}')\n\n\n" for name in ("a", "b", "c", "d")
    )
    main = f"import os\nimport sys\n\napp = App()\n\n\n{routes}run(app)\n"
    moved = f"FILE: routes.py\n```python\nfrom main import app\n\n\n{routes}```\n\n"
    short = "FILE: main.py\n```python\nfrom routes import app\n\nrun(app)\n```\n"
    done = after({"main.py": main}, moved + short, "main.py")
    assert isinstance(done, dict)
    assert done["main.py"] == "from routes import app\n\nrun(app)\n"
    assert kind(after({"main.py": main}, short, "main.py")) == "shrinks"


def test_a_file_with_all_of_its_names_is_whole_however_short() -> None:
    old = "import http\n\n\n" + "".join(
        f"def {name}():\n" + f"    x = http.get('{name}')\n" * 6 + "    return x\n\n\n" for name in "ab"
    )
    new = "from api import get\n\n\ndef a():\n    return get('a')\n\n\ndef b():\n    return get('b')\n"
    assert one("a.py", old, f"FILE: a.py\n```python\n{new}```\n", may_remove=True) == new
    assert (
        one(".env", "B=1\nA=2\nC=3\n", "FILE: .env\n```\n# sorted\nA=5\nB=6\nC=7\n```\n") == "# sorted\nA=5\nB=6\nC=7\n"
    )


@pytest.mark.parametrize(
    "heading",
    ["### `b.css`\n\nOne small change in this file.\n", "**b.css** (updated)", "## b.css — updated", "### 1) b.css", "**1. b.css**", "Datei: b.css",
     "### 2. `b.css`\n\n- smaller\n- darker\n"],
)  # fmt: skip
def test_a_heading_names_the_file_though_words_follow(heading: str) -> None:
    assert edits(f"{heading}\n\n```css\nx\n```", "a.py") == (WholeFile("b.css", "x\n"),)


def test_a_heading_that_names_no_file_or_has_another_below_names_nothing() -> None:
    for heading in ("## What changed in b.css and c.css", "## Notes", "### b.css\n\n### Why\n"):
        assert edits(f"{heading}\n\n```css\nx\n```", "a.css") == (WholeFile("a.css", "x\n"),)
    assert edits("### Dockerfile\n\nOne line.\n\n```dockerfile\nFROM a\n```", "a.py") == (
        WholeFile("Dockerfile", "FROM a\n"),
    )


def test_a_rename_may_stand_in_a_line_of_its_own() -> None:
    said = f"RENAME: app/utils.py -> app/text.py\n\nFILE: t.py\n{replaced('utils', 'text')}"
    done = after({"app/utils.py": "x\n", "t.py": "utils\n"}, said, "t.py")
    assert done == {"app/text.py": "x\n", "t.py": "text\n"}


@pytest.mark.parametrize(
    "comment", ["// Saving...", "# Restarting...", "# existing recipes with the same title are always kept here"]
)
def test_a_comment_in_a_replacement_says_what_is_done(comment: str) -> None:
    new = f"{comment}\nc()"
    assert one("a.txt", "a()\nb()\n", f"FILE: a.txt\n{replaced('a()', new)}") == f"{new}\nb()\n"
