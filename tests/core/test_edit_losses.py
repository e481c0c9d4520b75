"""What an answer may not lose beside the change that was asked for, in whole files, parts and operations; and what it may."""

import pytest

from core.edits import Refusal, apply_patch, asks_for_removal
from core.edits.model import Operation
from core.files import FileTree
from tests.core.test_edit_slips import done

PAGE = b"""<!doctype html>
<title>Boats</title>
<nav aria-label="Main">
  <ul>
    <li><a href="/boats">Boats</a></li>
    <li><a href="/events">Events</a></li>
  </ul>
</nav>
<form>
  <input name="email" required>
  <input type="hidden" name="csrf" value="x">
  <button>Send</button>
</form>
"""
CI = b"""jobs:
  test:
    runs-on: debian
    steps:
      - run: make test
  deploy:
    needs: [test]
    if: github.ref == 'main'
    runs-on: debian
    steps:
      - run: node-22 deploy
"""
SERVER = b"""import helmet from "helmet";
const app = express();
app.use(helmet());
app.get("/healthz", (c) => c.text("ok"));
app.get("/orders", (c) => {
  console.error("none");
  return c.json(list(20));
});
app.listen(3000);
"""
GO = b"""//go:build linux

package count

func Next() int {
\tmu.Lock()
\tdefer mu.Unlock()
\tn += 1
\treturn n
}
"""
FILES = {"index.html": PAGE, "ci.yml": CI, "server.js": SERVER, "count.go": GO}


def whole(path: str, *changes: tuple[str, str]) -> str:
    text = FILES[path].decode()
    for old, new in changes:
        assert text.count(old) == 1, old
        text = text.replace(old, new)
    return f"FILE: {path}\n````\n{text}````\n"


@pytest.mark.parametrize(
    ("path", "request_text", "asked", "lost"),
    [
        ("index.html", "Call the button Join us", (">Send<", ">Join us<"), '    <li><a href="/events">Events</a></li>\n'),
        ("index.html", "Call the button Join us", (">Send<", ">Join us<"), '  <input type="hidden" name="csrf" value="x">\n'),
        ("index.html", "Call the button Join us", (">Send<", ">Join us<"), " required"),
        ("index.html", "Call the button Join us", (">Send<", ">Join us<"), ' aria-label="Main"'),
        ("ci.yml", "Use node 24", ("node-22", "node-24"), "    needs: [test]\n"),
        ("ci.yml", "Use node 24", ("node-22", "node-24"), "    if: github.ref == 'main'\n"),
        ("server.js", "Listen on 4000", ("3000", "4000"), "app.use(helmet());\n"),
        ("server.js", "Listen on 4000", ("3000", "4000"), '  console.error("none");\n'),
        # A word that the request shares with much of the file is no word about what went.
        ("server.js", "List 50 of the app's orders instead of 20", ("20", "50"), 'app.get("/healthz", (c) => c.text("ok"));\n'),
        ("count.go", "Next should count by two", ("n += 1", "n += 2"), "//go:build linux\n"),
        ("count.go", "Next should count by two", ("n += 1", "n += 2"), "\tdefer mu.Unlock()\n"),
    ],
)  # fmt: skip
def test_a_line_or_a_word_that_nobody_asked_about_may_not_go(
    path: str, request_text: str, asked: tuple[str, str], lost: str
) -> None:
    before = {path: FILES[path]}
    refused = done(before, whole(path, asked, (lost, "")), request=request_text)
    assert isinstance(refused, Refusal), "it went"
    assert lost.strip() in refused.message
    assert "nobody asked" in refused.message
    # Without the loss it is done.
    assert not isinstance(done(before, whole(path, asked), request=request_text), Refusal)


@pytest.mark.parametrize(
    ("path", "request_text", "changes"),
    [
        ("index.html", "Take the events link out of the menu", [('    <li><a href="/events">Events</a></li>\n', ""), (">Send<", ">Go<")]),
        ("index.html", "No csrf token, and say Go", [('  <input type="hidden" name="csrf" value="x">\n', ""), (">Send<", ">Go<")]),
        ("index.html", "E-mail is optional", [(" required", "")]),
        ("ci.yml", "The deployment must not wait for the tests", [("    needs: [test]\n", "")]),
        ("server.js", "Refactor this", [('app.get("/healthz", (c) => c.text("ok"));\n', ""), ("20", "50")]),
        ("server.js", "", [('  console.error("none");\n', ""), ("20", "50")]),
        ("server.js", "Change it", [('  console.error("none");\n', ""), ("20", "50")]),
    ],
)  # fmt: skip
def test_what_the_request_is_about_goes(path: str, request_text: str, changes: list[tuple[str, str]]) -> None:
    assert not isinstance(done({path: FILES[path]}, whole(path, *changes), request=request_text), Refusal)


def test_an_import_that_is_used_no_more_goes_with_its_use() -> None:
    before = b"from decimal import Decimal\n\n\ndef total(lines):\n    return Decimal(sum(lines))\n\n\ndef tax(x):\n    return x\n"
    after = "FILE: m.py\n```\n\n\ndef total(lines):\n    return sum(lines)\n\n\ndef tax(x):\n    return x\n```\n"
    assert not isinstance(done({"m.py": before}, after, request="Totals are plain numbers"), Refusal)


def test_an_import_that_an_assignment_uses_may_not_go() -> None:
    before = (
        b"from money import total_of\n\n\ndef pay(lines):\n    due = total_of(lines)\n    return due\n\n\nRATE = 2\n"
    )
    after = f"FILE: m.py\n```\n{before.decode().partition(chr(10))[2].lstrip().replace('RATE = 2', 'RATE = 3')}```\n"
    assert isinstance(done({"m.py": before}, after, request="Set the rate to 3"), Refusal)


def test_what_moves_to_another_file_of_the_answer_is_not_lost() -> None:
    moved = 'app.get("/healthz", (c) => c.text("ok"));\n'
    answer = whole("server.js", (moved, ""), ("3000", "4000")) + f"FILE: health.js\n````\n{moved}````\n"
    assert not isinstance(done({"server.js": SERVER}, answer, request="Listen on 4000"), Refusal)


def test_large_pieces_are_left_to_the_other_rules() -> None:
    rows = "".join(f"row_{n} = {n}\n" for n in range(60))
    other = "".join(f"line_{n} = {n}\n" for n in range(60))
    before = f"a = 1\n{rows}b = 2\n".encode()
    assert not isinstance(
        done({"t.py": before}, f"FILE: t.py\n```\na = 1\n{other}b = 2\n```\n", request="Call rows lines"), Refusal
    )


def test_a_very_large_file_is_left_to_the_other_rules() -> None:
    rows = "".join(f"row_{n} = {n}\n" for n in range(16_000))
    answer = f"FILE: t.py\n```\na = 2\n{rows.replace('row_7 = 7', '', 1)}```\n"
    assert not isinstance(done({"t.py": f"a = 1\n{rows}".encode()}, answer, request="Set a to 2"), Refusal)


def test_what_comes_behind_many_pairs_is_left_to_the_other_rules() -> None:
    rows = "".join(f"row_{n} = {n}\nkept_{n // 30} = x\n" if n % 30 == 29 else f"row_{n} = {n}\n" for n in range(600))
    other = rows.replace("row_", "line_")
    answer = f"FILE: t.py\n```\n{other}b = 2\n```\n"
    assert not isinstance(done({"t.py": f"{rows}b = 2\nc = 3\n".encode()}, answer, request="Call rows lines"), Refusal)


def test_a_file_is_not_replaced_by_the_new_thing_alone() -> None:
    types = b"export interface Boat {\n  name: string;\n  berth: number;\n}\n"
    new = "FILE: types.ts\n```\nexport interface Member {\n  mail: string;\n  since: Date;\n}\n```\n"
    refused = done({"types.ts": types}, new, request="We need members too, with their mail")
    assert isinstance(refused, Refusal)
    # Who asks for what was there to become something else is taken at their word.
    assert not isinstance(done({"types.ts": types}, new, request="Turn the boat type into one of members"), Refusal)


EN = b'{\n  "title": "Boats for everyone",\n  "send": "Send the message",\n  "cancel": "Cancel the booking",\n  "late": "Too late to book"\n}\n'
DE = EN.replace(b"Boats for everyone", "Boote für alle".encode()).replace(b"Send the message", b"Nachricht senden").replace(
    b"Cancel the booking", b"Buchung absagen").replace(b"Too late to book", "Zu spät zum Buchen".encode())  # fmt: skip


def test_a_file_does_not_take_the_content_of_another() -> None:
    tree = {"de.json": DE, "en.json": EN, "notes.md": b"# x\n", "big.json": b"[" + b"1," * 60_000 + b"1]"}
    answer = f"FILE: de.json\n```json\n{EN.decode().replace('Send the message', 'Nachricht senden')}```\n"
    refused = done(tree, answer, request="Better words on the button")
    assert isinstance(refused, Refusal)
    assert "is en.json, with a few changes" in refused.message
    swapped = f"{answer}\nFILE: en.json\n```json\n{DE.decode()}```\n"
    assert isinstance(done(tree, swapped, request="Better words on the button"), Refusal)
    # Who names the other file wants that.
    assert not isinstance(done(tree, answer, request="Take the texts of en for now"), Refusal)
    own = f"FILE: de.json\n```json\n{DE.decode().replace('senden', 'schicken')}```\n"
    assert not isinstance(done(tree, own, request="Better words on the button"), Refusal)


@pytest.mark.parametrize("name", ["**{}**", "FILE: {}", "`{}`"])
def test_names_below_their_blocks_are_asked_about(name: str) -> None:
    tree = {"a.css": b".a {\n  color: red;\n}\n", "b.css": b".b {\n  color: red;\n}\n"}
    answer = (
        f"```css\n.a {{\n  color: blue;\n}}\n```\n{name.format('a.css')}\n\n"
        f"```css\n.b {{\n  color: green;\n}}\n```\n{name.format('b.css')}\n"
    )
    refused = done(tree, answer, request="blue and green")
    assert isinstance(refused, Refusal)
    assert "above the first file that the answer names" in refused.message or "cut off" in refused.message


@pytest.mark.parametrize(
    "lead",
    [
        "No change is needed here. A stricter version would be:",
        "Don't write it like this, it forgets who is away:",
        "Before I change anything: do you want a hover state? It would look like this:",
        "Should I also log it? Then I would write:",
    ],
)
def test_a_block_that_is_no_edit_by_its_own_words_changes_nothing(lead: str) -> None:
    answer = f"{lead}\n\n```js\n{SERVER.decode().replace('3000', '4000')}```\n"
    assert isinstance(done({"server.js": SERVER}, answer, request="Port 4000?"), Refusal)


def test_an_anchor_is_not_replaced_by_what_is_added_beside_it() -> None:
    answer = "Find this line:\n\n```js\napp.use(helmet());\n```\n\nand add below it:\n\n```js\napp.use(cors());\n```\n"
    assert isinstance(done({"server.js": SERVER}, answer, request="Allow other origins"), Refusal)


def test_the_old_version_may_stand_below_the_new_one() -> None:
    answer = "New version:\n\n```js\napp.listen(4000);\n```\n\nPreviously it was:\n\n```js\napp.listen(3000);\n```\n"
    after = done({"server.js": SERVER}, answer, request="Port 4000")
    assert not isinstance(after, Refusal)
    assert after["server.js"] == SERVER.replace(b"3000", b"4000")


def operated(
    path: str, thing: str, target: str, content: str, request: str, action: str = "replace"
) -> FileTree | Refusal:
    edit = Operation(path, action, thing, target, content)  # type: ignore[arg-type]
    patched = apply_patch(FileTree(FILES | OPERATED), [edit], may_remove=asks_for_removal(request), request=request)
    return patched.refused[0] if patched.refused else patched.tree


OPERATED = {
    "pay.py": b"def refund(amount, paid):\n    if amount > paid:\n        raise ValueError(amount)\n    log(amount)\n    return amount\n",
    "package.json": b'{\n  "dependencies": {\n    "fastify": "^5.0.0",\n    "zod": "^4.0.0"\n  }\n}\n',
    "compose.yaml": b"services:\n  db:\n    image: postgres:16\n    restart: always\n\nvolumes:\n  data:\n",
}


def test_an_operation_leaves_nothing_out_and_loses_nothing() -> None:
    gap = operated(
        "pay.py",
        "function",
        "refund",
        "def refund(amount, paid):\n    # ... validation unchanged ...\n    return round(amount, 2)\n",
        "round it",
    )
    assert isinstance(gap, Refusal)
    assert "leaves out code" in gap.message
    lost = operated(
        "pay.py",
        "function",
        "refund",
        "def refund(amount, paid):\n    log(amount)\n    return round(amount, 2)\n",
        "round it",
    )
    assert isinstance(lost, Refusal)
    assert "if amount > paid" in lost.message
    key = operated("package.json", "key", "dependencies", '{"fastify": "^5.3.0"}', "fastify 5.3.0")
    assert isinstance(key, Refusal)
    gone = operated("package.json", "key", "dependencies.zod", "", "we use valibot", "remove")
    assert not isinstance(gone, Refusal)
    fine = operated(
        "pay.py",
        "function",
        "refund",
        OPERATED["pay.py"].decode().replace("return amount", "return round(amount, 2)"),
        "round it",
    )
    assert not isinstance(fine, Refusal)


@pytest.mark.parametrize(
    "content", ["image: postgres:17\nrestart: always", "image: postgres:17", "- image: x\n  restart: y"]
)
def test_yaml_is_no_text_for_a_key(content: str) -> None:
    refused = operated("compose.yaml", "key", "services.db", content, "postgres 17")
    assert isinstance(refused, Refusal)
    assert "write the value as JSON" in refused.message
    text = operated("compose.yaml", "key", "services.db.image", "postgres:17", "postgres 17")
    assert not isinstance(text, Refusal)
