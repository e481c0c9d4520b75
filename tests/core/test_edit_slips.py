"""What answers forget, say twice, or say of a file in a way of their own: each is the right file, or a refusal and nothing changed."""

import pytest

from core.edits import Edit, Refusal, apply_patch, asks_for_removal, parse_answer
from core.files import FileTree

SHOP = b"""import logging

from shop.models import Line

log = logging.getLogger(__name__)


class Invoice:
    lines: list[Line]

    @property
    def count(self) -> int:
        return len(self.lines)

    def total(self) -> float:
        return sum(line.price for line in self.lines)

    def cancel(self) -> None:
        self.lines.clear()
        log.info("cancelled")
"""
CARD = b"""@import "reset.css";

.side { width: 240px; }

@media print {
  .side { display: none; }
}

.main { width: 60rem; }
"""
ROUTES = b"""import "./setup";
import { Hono } from "hono";

export const orders = new Hono();

orders.get("/", (c) => {
  return c.json(list(20));
});

orders.delete("/:id", (c) => {
  drop(c.req.param("id"));
  return c.body(null, 204);
});
"""
COMPOSE = b"""services:
  db:
    image: postgres:16
    volumes:
      - data:/var/lib

volumes:
  data:
"""
MODELS = b"""class Customer:
    class Meta:
        ordering = ["name"]

    def __str__(self):
        return self.name


class Product:
    class Meta:
        ordering = ["name"]
"""


def done(tree: dict[str, bytes], answer: str, default: str = "", request: str = "") -> FileTree | Refusal:
    """Return the tree after an answer, or why it was refused."""
    edits = parse_answer(answer, default or next(iter(tree)))
    if isinstance(edits, Refusal):
        return edits
    patched = apply_patch(FileTree(tree), edits, may_remove=asks_for_removal(request), request=request)
    return patched.refused[0] if patched.refused else patched.tree


def changed(path: str, before: bytes, lost: str, *more: tuple[str, str]) -> str:
    """Return the answer of a model that writes a file anew, changes something in it and forgets a part."""
    text = before.decode()
    assert lost in text
    text = text.replace(lost, "")
    for old, new in more:
        assert old in text
        text = text.replace(old, new)
    return f"FILE: {path}\n```\n{text}```\n"


FORGOTTEN = [
    ("shop.py", SHOP, '\n    def cancel(self) -> None:\n        self.lines.clear()\n        log.info("cancelled")\n', ("sum(", "0.0 + sum(")),
    ("shop.py", SHOP, "    @property\n", ("sum(", "0.0 + sum(")),
    # Still used below.
    ("shop.py", SHOP, "import logging\n\n", ("sum(", "0.0 + sum(")),
    ("card.css", CARD, '@import "reset.css";\n\n', ("240", "280")),
    ("card.css", CARD, "\n@media print {\n  .side { display: none; }\n}\n", ("240", "280")),
    ("orders.ts", ROUTES, 'orders.delete("/:id", (c) => {\n  drop(c.req.param("id"));\n  return c.body(null, 204);\n});\n', ("20", "50")),
    ("orders.ts", ROUTES, 'import "./setup";\n', ("20", "50")),
    ("compose.yaml", COMPOSE, "\nvolumes:\n  data:\n", ("postgres:16", "postgres:17")),
    (".env", b"PORT=80\nSMTP_HOST=a\nSTRIPE_KEY=\n", "STRIPE_KEY=\n", ("PORT=80", "PORT=81")),
    # What was changed right beside it hides nothing.
    ("orders.ts", ROUTES + b"const port = 80;\n", 'orders.delete("/:id", (c) => {\n  drop(c.req.param("id"));\n  return c.body(null, 204);\n});\n', ("port = 80", "port = 81")),
]  # fmt: skip


@pytest.mark.parametrize(("path", "before", "lost", "change"), FORGOTTEN)
def test_a_whole_file_may_forget_nothing(path: str, before: bytes, lost: str, change: tuple[str, str]) -> None:
    answer = changed(path, before, lost, change)
    refused = done({path: before}, answer, request="Change the number")
    assert isinstance(refused, Refusal)
    assert refused.kind == "shrinks"
    # Who asks for it gets it.
    assert isinstance(done({path: before}, answer, request="Remove what we do not need"), FileTree)


@pytest.mark.parametrize(
    ("path", "before", "lost", "change"),
    [
        ("a.py", b"import os\nimport sys\n\nprint(sys.argv)\n", "import os\n", ("argv", "path")),
        ("shop.py", b"def f(x):\n    print(x)\n    return x\n", "    print(x)\n", ("return x", "return x + 1")),
        ("a.css", b"/* old */\n.a { width: 1px; }\n.b { width: 2px; }\n", "/* old */\n", ("1px", "3px")),
    ],
)  # fmt: skip
def test_what_is_small_and_used_no_more_may_go(path: str, before: bytes, lost: str, change: tuple[str, str]) -> None:
    assert isinstance(done({path: before}, changed(path, before, lost, change), request="Change it"), FileTree)


CANCEL = '\n    def cancel(self) -> None:\n        self.lines.clear()\n        log.info("cancelled")\n'


@pytest.mark.parametrize(
    ("request_text", "goes"),
    [
        # It names what went, or says that something may.
        ("Invoices cannot be cancelled", True), ("nobody cancels invoices any more", True), ("drop what is unused", True),
        ("Show the total with VAT", False), ("Round it, without changing anything else", False),
        # An exchange is of what it names, and of nothing beside it.
        ("Replace the sum by 0.0 + sum", False), ("Extract the total", False), ("Replace cancel by a flag", True),
    ],
)  # fmt: skip
def test_something_small_goes_where_the_request_was_about_it(request_text: str, goes: bool) -> None:
    # The last word of `cancelled` goes with the log.
    answer = changed("shop.py", SHOP, CANCEL, ("sum(", "0.0 + sum("))
    assert isinstance(done({"shop.py": SHOP}, answer, request=request_text), FileTree) is goes


@pytest.mark.parametrize(
    ("before", "lost"),
    [
        ("import json\nimport sys\n\nprint(sys.argv.json())\n", "import json\n"),
        (
            "def f(path):\n    writer = open(path)\n    return 1\n\n\ndef g(writer):\n    return writer\n",
            "    writer = open(path)\n",
        ),
    ],
)
def test_what_is_only_called_alike_is_not_used(before: str, lost: str) -> None:
    answer = changed(
        "a.py", before.encode(), lost, ("return 1", "return 2") if "return 1" in before else ("print", "repr")
    )
    assert isinstance(done({"a.py": before.encode()}, answer, request="Tidy"), FileTree)


def test_a_variable_that_is_still_used_is_not_forgotten() -> None:
    before = b"def f(path):\n    writer = open(path)\n    n = 1\n    writer.write(n)\n"
    answer = changed("a.py", before, "    writer = open(path)\n", ("n = 1", "n = 2"))
    assert isinstance(done({"a.py": before}, answer, request="Write a 2"), Refusal)


def test_an_order_to_move_something_to_a_place_removes_nothing() -> None:
    assert not asks_for_removal("Move to /api/v2")
    assert asks_for_removal("Move the parser into its own file")


@pytest.mark.parametrize("path", ["en.json", "notes.ipynb"])
def test_json_stays_json(path: str) -> None:
    before = b'{\n  "a": "A",\n  "b": "B"\n}\n'
    answer = f'FILE: {path}\n<<<<<<< SEARCH\n  "b": "B"\n=======\n  "b": "B"\n  "c": "C"\n>>>>>>> REPLACE\n'
    refused = done({path: before}, answer)
    assert isinstance(refused, Refusal)
    assert refused.kind == "worse_syntax"
    mended = done({path: before.replace(b",", b"")}, answer.replace('"b"', '"b" ').replace('"b" ', '"b"'))
    # A file that was broken before is not judged.
    assert isinstance(mended, FileTree)


def test_settings_may_have_remarks() -> None:
    answer = "FILE: tsconfig.json\n<<<<<<< SEARCH\n{\n=======\n{\n  // strict from now on\n>>>>>>> REPLACE\n"
    assert isinstance(done({"tsconfig.json": b'{\n  "strict": true\n}\n'}, answer), FileTree)


def test_a_diff_that_was_applied_already_adds_nothing_again() -> None:
    before = b'import { a } from "a";\n\nexport const app = new App();\n\nconst LIMIT = 50;\n\nconst shape = object({\n  sku: text(),\n'
    answer = (
        '```diff\n--- a/app.ts\n+++ b/app.ts\n@@ -1,5 +1,7 @@\n import { a } from "a";\n \n export const app = new App();\n+\n'
        "+const LIMIT = 50;\n \n const shape = object({\n   sku: text(),\n```\n"
    )
    refused = done({"app.ts": before}, answer)
    assert isinstance(refused, Refusal)
    assert refused.kind == "conflict"
    assert "stands there already" in refused.message


def patch(*hunks: str) -> str:
    return "*** Begin Patch\n*** Update File: models.py\n" + "\n".join(hunks) + "\n*** End Patch\n"


def test_two_anchors_name_the_outer_thing_and_the_inner_one() -> None:
    answer = patch(
        "@@ class Customer:", "@@     class Meta:", '-        ordering = ["name"]', '+        ordering = ["email"]',
        "@@ class Product:", "@@     class Meta:", '-        ordering = ["name"]', '+        ordering = ["price"]',
    )  # fmt: skip
    after = done({"models.py": MODELS}, answer)
    assert isinstance(after, FileTree)
    assert [line for line in (after.text("models.py") or "").split("\n") if "ordering" in line] == [
        '        ordering = ["email"]', '        ordering = ["price"]',
    ]  # fmt: skip


def test_an_inner_anchor_that_the_outer_thing_does_not_have_is_refused() -> None:
    answer = patch(
        "@@ class Product:", "@@     def __str__(self):", "-        return self.name", "+        return self.title"
    )
    refused = done({"models.py": MODELS}, answer)
    assert isinstance(refused, Refusal)
    assert refused.kind == "conflict"


def test_blanks_that_do_not_break_are_no_indentation() -> None:
    answer = "FILE: a.py\n<<<<<<< SEARCH\n    return 1\n=======\n\xa0\xa0\xa0 x = 'a\xa0b'\n\xa0\xa0\xa0\xa0return 2\n>>>>>>> REPLACE\n"
    after = done({"a.py": b"def f():\n    return 1\n"}, answer)
    assert isinstance(after, FileTree)
    assert after.text("a.py") == "def f():\n    x = 'a\xa0b'\n    return 2\n"


@pytest.mark.parametrize("form", ["FILE: a.py\n<<<<<<< SEARCH\nx = 1\n=======\nx = '\ud83d'\n>>>>>>> REPLACE\n", "FILE: b.py\n```\nx = '\ud83d'\n```\n"])  # fmt: skip
def test_half_a_character_is_refused(form: str) -> None:
    refused = done({"a.py": b"x = 1\n"}, form)
    assert isinstance(refused, Refusal)
    assert refused.kind == "encoding"


TEST = "from shop import Line\n\n\ndef test_line():\n    assert Line"
NEW_FILES = [
    f"tests/test_a.py\n```python\n<<<<<<< SEARCH\n=======\n{TEST}\n>>>>>>> REPLACE\n```\n",
    f"新建文件 tests/test_a.py：\n\n```python\n{TEST}\n```\n",
    f"文件：tests/test_a.py\n```python\n{TEST}\n```\n",
    f"`tests/test_a.py` を次のように変更します。\n\n```python\n{TEST}\n```\n",
    f"1. In tests/test_a.py ändern:\n\n```python\n{TEST}\n```\n",
    f"Here is the complete tests/test_a.py\n\n```python\n{TEST}\n```\n",
    f"<details open>\n<summary><code>tests/test_a.py</code></summary>\n\n```python\n{TEST}\n```\n\n</details>\n",
    f"FILE: tests/test_a.py\n```python\n{TEST}\n```\n\n**Usage example**\n\n```python\nimport tests.test_a\n```\n",
]


@pytest.mark.parametrize("answer", NEW_FILES)
def test_a_new_file_is_named_in_many_ways(answer: str) -> None:
    after = done({"a.py": b"x = 1\n"}, answer)
    assert isinstance(after, FileTree)
    assert after.text("tests/test_a.py") == f"{TEST}\n"
    assert after.text("a.py") == "x = 1\n"


FILE = "x = 2\nz = 3\nw = 4\na = 5\nb = 6\n"


@pytest.mark.parametrize(
    "below",
    [
        "Here is how it works:\n\n```python\nx = 2  # two\n```\n", "**Key change:**\n\n```python\nx = 2\n```\n",
        "Note this line of it.\n\n```python\nx = 2\n```\n", "Alternatively, you could read it:\n\n```python\nx = read()\n```\n",
        "Usage:\n\n```python\nimport a\na.f()\na.g()\na.h()\n```\n",
    ],
)  # fmt: skip
def test_what_explains_a_file_below_it_is_no_file(below: str) -> None:
    after = done({"a.py": b"x = 1\n"}, f"FILE: a.py\n```python\n{FILE}```\n\n{below}")
    assert isinstance(after, FileTree)
    assert after.text("a.py") == FILE


def test_an_excerpt_below_a_file_lets_nothing_go_from_it() -> None:
    answer = (
        changed("shop.py", SHOP, CANCEL, ("sum(", "0.0 + sum("))
        + "\nNote this line of it.\n\n```\nlog = logging.getLogger(__name__)\n```\n"
    )
    refused = done({"shop.py": SHOP}, answer, request="Show the total as a float")
    assert isinstance(refused, Refusal)
    assert refused.kind == "shrinks"


def test_what_shall_be_used_instead_is_the_file() -> None:
    answer = f"FILE: a.py\n```python\n{FILE}v = 5\n```\n\nUse this instead:\n\n```python\n{FILE}```\n"
    after = done({"a.py": f"{FILE}v = 5\n".encode()}, answer)
    assert isinstance(after, FileTree)
    assert after.text("a.py") == FILE


@pytest.mark.parametrize(
    "said",
    ["Here's the updated file using Array.reduce:", "The updated file with users.name", "**Using os.path.exists**"],
)
def test_a_dotted_word_is_no_path(said: str) -> None:
    after = done({"a.py": b"x = 1\nz = 3\n"}, f"{said}\n\n```python\n{FILE}```\n", "a.py")
    assert isinstance(after, FileTree)
    assert dict(after.items()) == {"a.py": FILE.encode()}


def test_a_path_may_stand_inside_the_fence_above_its_pair() -> None:
    answer = "```python\nlib/b.py\n<<<<<<< SEARCH\nx = 1\n=======\nx = 2\n>>>>>>> REPLACE\n```\n"
    after = done({"a.py": b"x = 1\n", "lib/b.py": b"x = 1\n"}, answer, "a.py")
    assert isinstance(after, FileTree)
    assert (after.text("a.py"), after.text("lib/b.py")) == ("x = 1\n", "x = 2\n")


@pytest.mark.parametrize(
    "answer",
    [
        "In b.py you would then have:\n\n```python\ny = 1\n```\n",
        "(b.py stays as it is):\n\n```python\ny = 1\n```\n",
        "Then run tests/test_a.py:\n\n```bash\npytest tests/test_a.py\n```\n",
        "It needs Node.js:\n\n```python\ny = 1\n```\n",
        "It is in src/a.py and src/b.py:\n\n```python\ny = 1\n```\n",
    ],
)
def test_a_sentence_above_what_is_run_or_above_anything_names_no_file(answer: str) -> None:
    answer = f"FILE: a.py\n```python\nx = 2\n```\n\n{answer}"
    after = done({"a.py": b"x = 1\n"}, answer)
    assert isinstance(after, Refusal) or set(after) == {"a.py"}


def test_files_that_are_mostly_empty_may_be_empty() -> None:
    after = done({"a.py": b"x = 1\n"}, "FILE: shop/__init__.py\n```python\n```\n\nFILE: a.py\n```python\nx = 2\n```\n")
    assert isinstance(after, FileTree)
    assert after["shop/__init__.py"] == b""
    edits = parse_answer("FILE: shop/view.py\n```python\n```\n", "a.py")
    assert isinstance(edits, tuple)
    assert all(isinstance(one, Edit) for one in edits)
    assert apply_patch(FileTree({}), edits).refused[0].kind == "empty"


def test_an_address_is_no_path() -> None:
    answer = f"FILE: a.py\n```python\n{FILE}```\n\nThe updated docs are at https://example.org/guide/index.html:\n\n```html\n<p>hi</p>\n```\n"
    after = done({"a.py": b"x = 1\n"}, answer)
    assert isinstance(after, FileTree)
    assert set(after) == {"a.py"}
