"""Operations on named things change that thing and no other byte; what is not there once is refused."""

import json

import pytest

from core.edits import (
    Applied,
    Delete,
    Operation,
    Refusal,
    Rename,
    Replace,
    WholeFile,
    apply_patch,
    parse_answer,
)
from core.edits.definitions import definitions
from core.edits.languages import errors, root
from core.edits.model import Action, Thing
from core.files import FileTree

PYTHON = '''\
import os
from a import b, d
from . import near
from star import *


class Booking:
    """One."""

    name: str  # who
    total: int = 0

    # the sum
    @property
    def cost(self) -> int:
        return self.total


class Empty:
    pass


class Short: pass


limit = 5


def main() -> None:
    print("x")
'''

SCRIPT = """\
import a from "a"
import {
  b,
} from "b"

export function one() {
  return 1
}

const two = () => {
  return 2
}

let later
const { p } = q

class C {
  m() {
    return 3
  }
}
"""

STYLE = ".a {\n  color: red;\n}\n\n.b, .c {\n  color: blue;\n}\n"
PAGE = '<body>\n  <nav id="n">\n    <a>1</a>\n  </nav>\n  <p>x</p><i></i>\n</body>\n'
DATA = '{\n  "a": 1, // x\n  "b": {"c": [1, 2]},\n  "d": {}\n}\n'
TOML = "# c\n[a]\nb = 1 # x\n"
YAML = "# c\na:\n  b: 1 # x\n  c: 'q'\n"


def done(path: str, text: str, action: Action, thing: Thing, target: str, content: str = "") -> str:
    patched = apply_patch(FileTree({path: text.encode()}), [Operation(path, action, thing, target, content)])
    assert patched.refused == ()
    assert patched.applied == (Applied(path, "operation"),)
    return patched.tree[path].decode()


def refused(path: str, text: str, action: Action, thing: Thing, target: str, content: str = "x") -> Refusal:
    patched = apply_patch(FileTree({path: text.encode()}), [Operation(path, action, thing, target, content)])
    return patched.refused[0]


PYTHON_CASES: list[tuple[Action, Thing, str, str, str, str]] = [
    ("replace", "method", "Booking.cost", "def cost(self):\n    return 1",
     "    @property\n    def cost(self) -> int:\n        return self.total\n", "    def cost(self):\n        return 1\n"),
    ("replace", "function", "main", "# new\ndef main() -> None:\n    print(2)",
     'def main() -> None:\n    print("x")\n', "# new\ndef main() -> None:\n    print(2)\n"),
    ("add", "method", "Booking", "def more(self):\n    return 2",
     "        return self.total\n", "        return self.total\n\n    def more(self):\n        return 2\n"),
    ("add", "method", "Empty.it", "def it(self): ...", "class Empty:\n    pass\n", "class Empty:\n\n    def it(self): ...\n"),
    ("add", "function", "other", "def other():\n    return 2",
     '    print("x")\n', '    print("x")\n\n\ndef other():\n    return 2\n'),
    ("add", "field", "Booking.when", 'when: str = ""', "    total: int = 0\n", '    total: int = 0\n    when: str = ""\n'),
    ("add", "field", "Empty.when", "when = 1", "class Empty:\n    pass\n", "class Empty:\n    when = 1\n"),
    ("remove", "field", "Booking.total", "", "    total: int = 0\n", ""),
    ("remove", "field", "limit", "", "\n\nlimit = 5\n", ""),
    ("add", "import", "", "from a import c", "from a import b, d\n", "from a import c, b, d\n"),
    ("add", "import", "", "import json as j", "from star import *\n", "from star import *\nimport json as j\n"),
    ("remove", "import", "a.b", "", "from a import b, d\n", "from a import d\n"),
    ("remove", "import", "a.d", "", "from a import b, d\n", "from a import b\n"),
    ("remove", "import", "os", "", "import os\n", ""),
    ("add", "decorator", "main", '@app.get("/")', "def main", '@app.get("/")\ndef main'),
    ("remove", "decorator", "Booking.cost", "@property", "    @property\n", ""),
]  # fmt: skip


@pytest.mark.parametrize(("action", "thing", "target", "content", "old", "new"), PYTHON_CASES)
def test_python_keeps_everything_else(
    action: Action, thing: Thing, target: str, content: str, old: str, new: str
) -> None:
    assert PYTHON.count(old) == 1
    assert done("a.py", PYTHON, action, thing, target, content) == PYTHON.replace(old, new)


def test_an_empty_class_is_still_a_class_when_its_last_thing_goes() -> None:
    assert done("a.py", "class A:\n    x = 1\n", "remove", "field", "A.x") == "class A:\n    pass\n"
    assert done("a.py", "", "add", "function", "f", "def f(): ...") == "def f(): ...\n"
    assert done("a.py", "x = 1\n", "add", "import", "", "from .a import b") == "from .a import b\n\nx = 1\n"
    assert done("a.py", "x = 1\n", "add", "import", "", "from . import b") == "from . import b\n\nx = 1\n"


@pytest.mark.parametrize(
    ("action", "thing", "target", "content", "said"),
    [
        ("replace", "function", "nobody", "def x(): ...", "nobody is there 0 times; it has Booking, Empty"),
        ("add", "function", "main", "def main(): ...", "main is there already; replace it."),
        ("replace", "method", "main.x", "def x(): ...", "main is no class."),
        ("add", "method", "Short.x", "def x(self): ...", "Short has its body on one line."),
        ("replace", "function", "main", "def (", "Python does not parse"),
        ("replace", "function", "main", "# nothing", "the content is no code"),
        ("add", "import", "", "x = 1", "the content is no import of names"),
        ("add", "import", "", "def x(): ...", ""),
        ("remove", "import", "json", "", "json is not imported."),
        ("add", "decorator", "main", "@(", "the decorator does not parse"),
        ("add", "decorator", "limit", "@x", "limit is no function or class."),
        ("remove", "decorator", "main", "@x", "main has no decorator x."),
        ("add", "function", "x", " ", "has no content"),
        ("replace", "rule", ".a", "x", "No operation on a rule is known for a.py."),
    ],
)
def test_python_refusals_say_what_is_there(action: Action, thing: Thing, target: str, content: str, said: str) -> None:
    if said:
        assert said in refused("a.py", PYTHON, action, thing, target, content).message
    else:
        assert done("a.py", PYTHON, action, thing, target, content) == PYTHON


SCRIPT_CASES: list[tuple[Action, Thing, str, str, str, str]] = [
    ("replace", "function", "one", "export function one() {\n  return 11\n}", "  return 1\n", "  return 11\n"),
    ("remove", "function", "two", "", "const two = () => {\n  return 2\n}\n\n", ""),
    ("remove", "method", "C.m", "", "  m() {\n    return 3\n  }\n", ""),
    ("add", "function", "three", "function three() {}", "    return 3\n  }\n}\n", "    return 3\n  }\n}\n\nfunction three() {}\n"),
    ("add", "import", "", 'import c from "c"', '} from "b"\n', '} from "b"\nimport c from "c"\n'),
    ("remove", "import", "a", "", 'import a from "a"\n', ""),
    ("add", "method", "C", "n() {\n\n  return 4\n}", "    return 3\n  }\n", "    return 3\n  }\n\n  n() {\n\n    return 4\n  }\n"),
    ("replace", "method", "C.m", "m() {\n  return 5\n}", "    return 3\n", "    return 5\n"),
]  # fmt: skip


@pytest.mark.parametrize(("action", "thing", "target", "content", "old", "new"), SCRIPT_CASES)
def test_scripts_keep_everything_else(
    action: Action, thing: Thing, target: str, content: str, old: str, new: str
) -> None:
    assert SCRIPT.count(old) == 1
    assert done("a.tsx", SCRIPT, action, thing, target, content) == SCRIPT.replace(old, new)


def test_an_import_into_a_script_without_any_comes_first() -> None:
    assert done("a.js", "f()\n", "add", "import", "", 'import "c"') == 'import "c"\nf()\n'


@pytest.mark.parametrize(
    ("action", "thing", "target", "content", "said"),
    [
        ("replace", "function", "nobody", "x", "nobody is there 0 times; it has one, two, C, m."),
        ("add", "function", "one", "x", "one is there already; replace it."),
        ("remove", "import", "c", "", "c is imported 0 times."),
        ("replace", "function", "one", "function one( {", "no longer parses"),
    ],
)
def test_script_refusals(action: Action, thing: Thing, target: str, content: str, said: str) -> None:
    assert said in refused("a.js", SCRIPT, action, thing, target, content).message


def test_rules_of_a_style_sheet() -> None:
    assert (
        done("a.css", STYLE, "replace", "rule", ".b,  .c", ".b {\n  x: y;\n}")
        == ".a {\n  color: red;\n}\n\n.b {\n  x: y;\n}\n"
    )
    assert done("a.css", STYLE, "remove", "rule", ".a") == ".b, .c {\n  color: blue;\n}\n"
    assert done("a.css", STYLE, "add", "rule", ".d", ".d { a: b }") == STYLE + "\n.d { a: b }\n"
    assert done("a.css", "", "add", "rule", ".d", ".d { a: b }") == ".d { a: b }\n"
    assert ".x is there 0 times" in refused("a.css", STYLE, "remove", "rule", ".x").message


def test_elements_of_a_page() -> None:
    new = '<nav id="n">\n  <b>2</b>\n</nav>'
    assert done("a.html", PAGE, "replace", "element", "#n", new) == PAGE.replace("<a>1</a>", "<b>2</b>")
    assert done("a.html", PAGE, "add", "element", "nav", "<a>3</a>") == PAGE.replace("1</a>\n", "1</a>\n    <a>3</a>\n")
    assert done("a.html", PAGE, "add", "element", "i", "<b>3</b>") == PAGE.replace("<i></i>", "<i><b>3</b></i>")
    assert done("a.html", PAGE, "remove", "element", "i") == PAGE.replace("<i></i>", "")
    assert done("a.html", PAGE, "remove", "element", "nav") == "<body>\n  <p>x</p><i></i>\n</body>\n"
    assert "u is there 0 times" in refused("a.html", PAGE, "add", "element", "u").message
    assert "#u is there 0 times" in refused("a.html", PAGE + "<>", "remove", "element", "#u").message


def test_keys_of_json() -> None:
    assert done("a.json", DATA, "replace", "key", "b.c", "[3]") == DATA.replace("[1, 2]", "[3]")
    assert done("a.json", DATA, "add", "key", "b.e", '{"x": 1}') == DATA.replace("2]}", '2], "e": {"x": 1}}')
    assert done("a.json", DATA, "add", "key", "d.e", "some text") == DATA.replace("{}", '{\n    "e": "some text"\n  }')
    assert done("a.json", DATA, "add", "key", "f", "true") == DATA.replace("{}", '{},\n  "f": true')
    assert done("a.json", DATA, "remove", "key", "a") == DATA.replace('"a": 1, // x\n  ', "")
    assert done("a.json", DATA, "remove", "key", "d") == DATA.replace(',\n  "d": {}', "")
    assert done("a.json", '{"a": 1}', "remove", "key", "a") == "{}"


@pytest.mark.parametrize(
    ("action", "target", "said"),
    [
        ("replace", "x.y", "x of x.y is not there."),
        ("replace", "x", "x is not there."),
        ("replace", "a.y", "a is no object."),
        ("add", "a", "a is there already; replace it."),
        ("replace", "t", "t is there 2 times."),
    ],
)
def test_json_refusals(action: Action, target: str, said: str) -> None:
    text = DATA.replace("{}", '{}, "t": 1, "t": 2')
    assert said in refused("a.json", text, action, "key", target).message
    assert "the file is no object" in refused("a.json", "[1]", "replace", "key", "a").message


def test_keys_of_toml_and_yaml_keep_the_remarks() -> None:
    assert done("a.toml", TOML, "replace", "key", "a.b", "2") == "# c\n[a]\nb = 2 # x\n"
    assert done("a.toml", TOML, "add", "key", "n.m", '"x"') == TOML + '\n[n]\nm = "x"\n'
    assert done("a.yml", YAML, "add", "key", "a.d", "[1, 2]") == YAML + "  d:\n  - 1\n  - 2\n"
    assert done("a.yaml", YAML, "remove", "key", "a.c") == "# c\na:\n  b: 1 # x\n"
    assert "z of z.y is not there" in refused("a.toml", TOML, "replace", "key", "z.y").message
    assert "a.b is there already" in refused("a.yaml", YAML, "add", "key", "a.b").message
    assert "a.z is not there" in refused("a.yaml", YAML, "replace", "key", "a.z").message
    assert "What should hold y has no keys." in refused("a.yaml", "x: 1\n", "add", "key", "x.y").message
    assert refused("a.toml", "x = = 1", "replace", "key", "x").kind == "worse_syntax"
    assert refused("a.yaml", "x: [1", "replace", "key", "x").kind == "worse_syntax"


def test_line_ends_of_windows_stay() -> None:
    text = TOML.replace("\n", "\r\n")
    assert done("a.toml", text, "replace", "key", "a.b", "2") == "# c\r\n[a]\r\nb = 2 # x\r\n"
    assert refused("a.toml", text, "replace", "key", "z").kind == "not_found"


# --- renaming


def test_a_file_takes_another_name() -> None:
    tree = FileTree({"a": b"1", "b": b"2"})
    patched = apply_patch(tree, [Rename("a", "c"), Replace("c", "1", "one")])
    assert (dict(patched.tree), patched.refused) == ({"b": b"2", "c": b"one"}, ())
    assert "b is there already" in apply_patch(tree, [Rename("a", "b")]).refused[0].message
    assert apply_patch(tree, [Rename("x", "y")]).refused[0].kind == "missing_file"


def test_a_patch_may_move_a_file() -> None:
    answer = "*** Begin Patch\n*** Update File: a.py\n*** Move to: b.py\n@@\n-x\n+y\n*** End Patch"
    assert parse_answer(answer, "z") == (Replace("a.py", "x", "y"), Rename("a.py", "b.py"))


# --- answers in JSON


@pytest.mark.parametrize(
    ("answer", "edits"),
    [
        ({"path": "a", "old_str": "x\n", "new_str": "y\n"}, [Replace("a", "x", "y")]),
        ({"path": "a", "edits": [{"old_string": "x", "new_string": ""}]}, [Replace("a", "x", "")]),
        ([{"search": "x", "replace": "y"}], [Replace("default.py", "x", "y")]),
        (
            {"type": "function", "target": "f", "new_content": "def f(): ...", "action": "modify"},
            [Operation("default.py", "replace", "function", "f", "def f(): ...")],
        ),
        ({"type": "key", "target": "a.b", "new_content": [1], "action": "set"}, [Operation("default.py", "replace", "key", "a.b", "[1]")]),
        ({"type": "import", "content": "import x", "action": "add"}, [Operation("default.py", "add", "import", "", "import x")]),
        ({"type": "file", "file": "a", "action": "delete"}, [Delete("a")]),
        ({"type": "file", "file": "a", "action": "rename", "to": "b"}, [Rename("a", "b")]),
        ({"type": "file", "file": "a", "action": "create", "content": "1"}, [WholeFile("a", "1")]),
    ],
)  # fmt: skip
def test_json_of_the_known_shapes(answer: object, edits: list[object]) -> None:
    assert parse_answer(json.dumps(answer), "default.py") == tuple(edits)
    assert parse_answer(f"```json\n{json.dumps(answer, indent=1)}\n```", "default.py") == tuple(edits)


@pytest.mark.parametrize(
    "answer",
    ["[]", "3", '{"name": "x"}', '{"type": "function", "action": "fly", "target": "x"}', '[{"old_str": "x", "new_str": "y"}, 1]',
     '{"type": "file", "action": "look"}', '{"type": "function", "action": "add"}'],
)  # fmt: skip
def test_other_json_is_a_file_like_any_other(answer: str) -> None:
    assert parse_answer(f"```json\n{answer}\n```", "package.json") == (WholeFile("package.json", answer + "\n"),)


BOMB = "a: &a [x]\n" + "".join(
    f"k{at}: &k{at} [{', '.join(['*k' + str(at - 1) if at else '*a'] * 9)}]\n" for at in range(9)
)


@pytest.mark.parametrize(
    ("path", "text", "content"),
    [
        ("a.yml", BOMB, "1"), ("a.yml", "a: " + "[" * 50_000, "1"), ("a.toml", "a = " + "[" * 50_000, "1"),
        ("a.json", '{"a": ' + "[" * 50_000, "1"), ("a.json", '{"a": 1}', "[" * 50_000),
    ],
)  # fmt: skip
def test_what_is_nested_without_end_is_refused(path: str, text: str, content: str) -> None:
    edit = Operation(path, "replace", "key", "a", content)
    assert apply_patch(FileTree({path: text.encode()}), [edit]).refused[0].kind == "worse_syntax"


@pytest.mark.parametrize("thing", ["function", "decorator"])
def test_python_that_is_nested_without_end_does_not_end_the_process(thing: Thing) -> None:
    deep = "(" * 5_000 + ")" * 5_000
    edit = Operation("a.py", "replace", thing, "main", f"@{deep}" if thing == "decorator" else f"main = {deep}")
    assert "nested" in apply_patch(FileTree({"a.py": b"def main(): ...\n"}), [edit]).refused[0].message


def test_two_references_are_kept_as_they_are() -> None:
    text = "a: &x [1]\nb: &y [2]\nc: [*x, *y]\n"
    done = apply_patch(FileTree({"a.yml": text.encode()}), [Operation("a.yml", "add", "key", "d", "4")])
    assert done.tree["a.yml"].decode().endswith("d: 4\n")


def test_a_text_on_which_a_grammar_would_spend_minutes_is_given_up() -> None:
    for path, text in (("a.css", ":is(a" * 12_000), ("a.html", "<!--" * 12_000), ("a.css", "{" + "a:" * 30_000)):
        assert errors(path, text) == 1
        assert root(path, text) is None
    assert errors("a.css", ".a { color: red; }") == errors("a.unknown", "x") == 0
    assert root("a.unknown", "x") is None


def test_functions_in_functions_without_end_are_found() -> None:
    assert len(definitions("a.js", "function a(){" * 2_000 + "}" * 2_000)) == 2_000
