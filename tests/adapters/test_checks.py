"""Each check finds its fault, stays silent about good code, and never claims what it did not see."""

import asyncio
import json
import sys
from collections.abc import Awaitable, Callable, Iterator, Mapping, Sequence
from dataclasses import replace
from pathlib import Path

import pytest

from adapters.checks.markup_python import open_responses
from adapters.checks.markup_script import open_sinks
from adapters.checks.material import Check, Material, Report
from adapters.checks.mutation import touched_tests
from adapters.checks.suite import CheckSuite, all_checks
from adapters.checks.tests import UNFINISHED
from adapters.checks.tests import tests_check as own_tests
from adapters.checks.tools import as_json, output_of, program
from adapters.checks.vitest import vitest_check
from adapters.llm.builtin.plans import new_manifest
from adapters.llm.builtin.render import render
from adapters.llm.builtin.understand import understand
from adapters.sandbox.docker import DockerSandbox
from adapters.store.database import Database
from core.errors import OutsideError
from core.files import FileTree
from core.findings import CheckResult, Finding
from core.manifests import AppManifest
from core.ports import Ran, Worth
from tests.needs import bubblewrap, docker_client

REQUEST = "Build a todo app"
LATER = ("ruff", "oxlint", "mypy", "bandit", "secrets", "tests")


def app() -> tuple[FileTree, AppManifest]:
    manifest = new_manifest(REQUEST, understand(REQUEST))
    files = {file.path: (render(manifest, file.path) or "").encode() for file in manifest.files}
    return FileTree(files).changed({"app.json": manifest.to_bytes()}), manifest


class StillSandbox:
    """A sandbox that answers as told; the real ones have tests of their own."""

    name = "still"

    def __init__(self, ran: Ran, passed: Sequence[str] = (), failed: int = 0) -> None:
        self.ran = ran
        self.runs = 0
        self._report = {
            "exit": ran.exit_code, "collected": len(passed) + failed, "names": list(passed),
            "counts": {"passed": len(passed), "failed": failed, "skipped": 0},
        }  # fmt: skip

    async def run(self, tree: FileTree, argv: Sequence[str], env: Mapping[str, str], seconds: float) -> Ran:
        """Answer, and report as pytest would, unless nothing came of its tests."""
        self.runs += 1
        report = f"{env['THREADWRIGHT_RUN']} {json.dumps(self._report)}\n" if self._report["collected"] else ""
        return replace(self.ran, output=f"{self.ran.output}\n{report}")


PASSED = Ran(0, "3 passed in 0.10s\n", 0.1)
NAMES = ("tests/test_a.py::test_one", "tests/test_a.py::test_two", "tests/test_a.py::test_three")


@pytest.fixture(scope="session")
def cache(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("cache")


@pytest.fixture
def suite_of(lite: Database, tmp_path: Path, cache: Path) -> Callable[[Ran | None], CheckSuite]:
    def make(ran: Ran | None = PASSED) -> CheckSuite:
        box = StillSandbox(ran, NAMES if ran == PASSED else ()) if ran is not None else None
        return CheckSuite(all_checks(cache, box, "there is none"), lite, tmp_path / "scratch", box)

    return make


async def run(suite: CheckSuite, changes: dict[str, bytes | None]) -> dict[str, CheckResult]:
    tree, manifest = app()
    return {one.name: one for one in await suite.run(tree.changed(changes), manifest, lambda _: None)}


async def test_a_good_app_raises_nothing(suite_of: Callable[..., CheckSuite], tmp_path: Path) -> None:
    found = await run(suite_of(), {})
    assert {name: (one.status, one.findings) for name, one in found.items()} == dict.fromkeys(
        ("syntax", "imports", "pages", "test-worth", "markup", "ruff", "oxlint", "mypy", "bandit", "secrets", "tests"),
        ("passed", ()),
    )
    assert found["tests"].note == "3 passed"
    assert list((tmp_path / "scratch").iterdir()) == []


@pytest.mark.parametrize(
    ("path", "content", "check", "rule"),
    [
        ("extra.py", b"def broken(:\n", "syntax", "syntax"),
        ("extra.py", b"x = 'not utf-8 \xff'\n", "syntax", "encoding"),
        ("extra.json", b'{"a": 1,}', "syntax", "syntax"),
        ("extra.yaml", b"a: [1, 2\n", "syntax", "syntax"),
        ("extra.toml", b"a = \n", "syntax", "syntax"),
        ("extra.css", b"a { color: red;\nb { color: blue; }\n", "syntax", "syntax"),
        ("static/extra.js", b"let = = 3;\n", "oxlint", "syntax"),
        ("static/extra.ts", b"const a: = 3;\n", "oxlint", "syntax"),
        ("static/extra.tsx", b"export const A = () => <div>;\n", "oxlint", "syntax"),
        ("static/extra.jsx", b"export const A = () => <div></span>;\n", "oxlint", "syntax"),
        ("extra.py", b"print(undefined_name)\n", "ruff", "F821"),
        ("extra.py", b"def f(a: int) -> str:\n    return a\n", "mypy", "return-value"),
        ("extra.py", b"import subprocess\n\n\ndef f(x: str) -> None:\n    subprocess.call(x, shell=True)\n", "bandit", "B602"),
        ("extra.py", b'def f(c, x):  # type: ignore\n    c.execute(eval(x))\n', "bandit", "B307"),
        ("extra.py", b"KEY = 'sk-or-v1-0123456789abcdef0123456789abcdef'\n", "secrets", "secret"),
        ("notes.md", b"token: ghp_0123456789abcdefghijABCDEFGHIJ012345\n", "secrets", "secret"),
        ("extra.py", b"import requestz\n", "imports", "package"),
        ("extra.py", b"from uvicron import run\n", "imports", "package"),
        ("frontend/a.tsx", b"import x from 'left-pad'\nx()\n", "imports", "package"),
        ("static/a.js", b"import x from 'react'\nx()\n", "imports", "package"),
        ("static/a.js", b"import {x} from './gone.js'\nx()\n", "imports", "import"),
        ("frontend/a.tsx", b"import {x, y} from './b'\nx(y)\n", "imports", "import"),
        ("test_extra.py", b"def test_it():\n    print(1)\n", "test-worth", "cannot-fail"),
        ("test_extra.py", b"def test_it():\n    assert True\n", "test-worth", "cannot-fail"),
        ("a.test.ts", b"test('adds', () => {\n  add(1, 2)\n})\n", "test-worth", "cannot-fail"),
        ("supabase/a.sql", b"-- create table x\ncreate table if not exists public.notes (id int);\n", "sql", "rls"),
        ("supabase/a.sql", b"create policy p on notes for update using (true);\n", "sql", "rls-open"),
        ("extra.py", b"def f(c, x):\n    c.execute(f\"select * from t where n = '{x}'\")\n", "bandit", "B608"),
        ("extra.py", b"from fastapi.responses import HTMLResponse\n\n\ndef f(x: str) -> HTMLResponse:\n    return HTMLResponse(f'<p>{x}</p>')\n", "markup", "xss"),
        ("static/a.js", b"document.body.innerHTML = `<p>${location.hash}</p>`\n", "markup", "xss"),
        ("static/a.js", b"document.write(name)\n", "markup", "xss"),
        ("frontend/a.tsx", b"export const A = ({text}) => <p dangerouslySetInnerHTML={{__html: text}} />\n", "markup", "xss"),
        ("key.pem", b"-----BEGIN RSA PRIVATE KEY-----\nMIIE\n", "secrets", "secret"),
    ],
)  # fmt: skip
async def test_each_fault_is_found_by_its_check(
    suite_of: Callable[..., CheckSuite], path: str, content: bytes, check: str, rule: str
) -> None:
    found = (await run(suite_of(), {path: content, "frontend/b.ts": b"export const x = 1\n"}))[check]
    assert found.status == "failed"
    assert (rule, path, "error") in [(one.rule, one.path, one.level) for one in found.findings]


async def test_bad_html_only_warns_because_browsers_mend_it(suite_of: Callable[..., CheckSuite]) -> None:
    found = (await run(suite_of(), {"extra.html": b"<div><p></b></div"}))["syntax"]
    assert found.status == "passed"


async def test_bombs_and_giants_are_survived(suite_of: Callable[..., CheckSuite]) -> None:
    bomb = b"a: &a [x, x]\n" + b"".join(b"%c: &%c [*%c, *%c]\n" % (98 + n, 98 + n, 97 + n, 97 + n) for n in range(20))
    found = await run(
        suite_of(),
        {"bomb.yaml": bomb, "deep.json": b"[" * 100_000, "giant.json": b" " * 500_001, "deep.py": b"(" * 5_000},
    )
    assert [(one.path, one.level) for one in found["syntax"].findings] == [
        ("deep.json", "error"),
        ("deep.py", "error"),
        ("giant.json", "note"),
    ]


async def test_syntax_errors_keep_later_checks_from_claiming_anything(suite_of: Callable[..., CheckSuite]) -> None:
    found = await run(suite_of(), {"extra.py": b"def broken(:\n"})
    assert {one.status for name, one in found.items() if name in LATER} == {"not_run"}
    assert found["tests"].note == "the errors that were found before it come first"


async def test_configuration_of_the_app_does_not_run_on_the_host(
    suite_of: Callable[..., CheckSuite], tmp_path: Path
) -> None:
    proof = tmp_path / "proof"
    code = f"open({str(proof)!r}, 'w').write('ran')\n".encode()
    await run(
        suite_of(),
        {
            "plugin.py": code + b"def plugin(version): return object\n", "mypy.ini": b"[mypy]\nplugins = plugin.py\n",
            "setup.cfg": b"[mypy]\nplugins = plugin.py\n", "pyproject.toml": b"[tool.mypy]\nplugins = ['plugin.py']\n",
            "bandit.py": code, "ruff.py": code, "ast.py": code, "json.py": code, "sitecustomize.py": code, "conftest.py": code,
            ".bandit": b"[bandit]\nskips: B602\n", ".oxlintrc.json": b'{"rules": {"no-undef": "off"}, "jsPlugins": ["./plugin.js"]}',
        },
    )  # fmt: skip
    assert not proof.exists()


async def test_no_gitignore_hides_files_from_the_checks(lite: Database, tmp_path: Path, cache: Path) -> None:
    (tmp_path / ".git").mkdir()
    (tmp_path / ".gitignore").write_text("*\n")
    suite = CheckSuite(all_checks(cache, StillSandbox(PASSED, NAMES), ""), lite, tmp_path / "data" / "scratch", None)
    bad: dict[str, bytes | None] = {
        ".gitignore": b"*\n",
        "static/extra.js": b"let = = 3;\n",
        "extra.py": b"print(ghost)\n",
        "x.py": b"import os; os.system(eval('1'))\n",
    }
    found = await run(suite, bad)
    assert {name for name, one in found.items() if one.status == "failed"} == {"oxlint", "ruff", "mypy", "bandit"}
    assert "not_run" not in {one.status for one in found.values()}


async def test_comments_of_the_app_do_not_silence_checks(suite_of: Callable[..., CheckSuite]) -> None:
    code = b"import subprocess\n\n\ndef f(x: str) -> None:\n    subprocess.call(x, shell=True)  # nosec\n\n\nprint(ghost)  # noqa\n"
    found = await run(suite_of(), {"extra.py": code, ".bandit": b"[bandit]\nskips: B602\n"})
    assert (found["bandit"].status, found["ruff"].status) == ("failed", "failed")


@pytest.mark.parametrize(
    ("ran", "message"),
    [
        (
            Ran(1, "FAILED tests/test_x.py::test_a - assert 1 == 2\n1 failed, 2 passed in 0.1s\n", 0.1),
            "test_a: assert 1 == 2",
        ),
        (Ran(2, "ERROR tests/test_x.py - ImportError: no\n", 0.1), "collection: ImportError: no"),
        (Ran(5, "no tests ran in 0.01s\n", 0.1), "ended with code 5"),
        (Ran(-1, "", 120.0, "time"), "did not end"),
        (Ran(-1, "", 1.0, "output"), "without end"),
        (Ran(137, "", 1.0), "ended with code 137"),
        (Ran(0, "3 passed in 0.10s\n4 passed in 0.10s\n", 1.0), "ended before their report was complete"),
    ],
)
async def test_tests_that_do_not_pass_fail(suite_of: Callable[..., CheckSuite], ran: Ran, message: str) -> None:
    found = (await run(suite_of(ran), {}))["tests"]
    assert found.status == "failed"
    assert message in found.findings[0].message


async def test_without_a_sandbox_tests_are_not_run_and_say_why(suite_of: Callable[..., CheckSuite]) -> None:
    found = (await run(suite_of(None), {}))["tests"]
    assert (found.status, found.note) == ("not_run", "there is none")


def check(work: Callable[[Material], Awaitable[Report]]) -> Check:
    return Check("odd", 0, lambda _: True, work)


async def test_a_check_that_crashes_or_is_missing_never_passes(lite: Database, tmp_path: Path) -> None:
    async def crash(_: Material) -> Report:
        raise RuntimeError("bug")

    async def absent(_: Material) -> Report:
        program("no-such-tool")
        return Report()

    for work, note in ((crash, "the check itself failed"), (absent, "no-such-tool is not installed")):
        suite = CheckSuite([check(work)], lite, tmp_path / "scratch", None)
        (result,) = await suite.run(FileTree({"a": b""}), None, lambda _: None)
        assert (result.status, result.note) == ("not_run", note)


@pytest.mark.parametrize(
    ("code", "said"),
    [
        ("import time; time.sleep(60)", "longer than"),
        ("raise SystemExit(3)", "ended with code 3"),
        ("print('x' * 21_000_000)", "printed"),
    ],
)
async def test_a_tool_that_hangs_crashes_or_floods_is_an_outside_error(code: str, said: str, tmp_path: Path) -> None:
    with pytest.raises(OutsideError, match=said):
        await output_of([sys.executable, "-c", code], tmp_path, 3)


def test_garbage_is_no_json() -> None:
    with pytest.raises(OutsideError, match="no JSON"):
        as_json("garbage", "tool")


async def test_warming_up_finds_nothing_to_complain_about(suite_of: Callable[..., CheckSuite]) -> None:
    await suite_of().warm()


async def test_a_tree_that_was_checked_is_not_checked_again(lite: Database, tmp_path: Path) -> None:
    runs = []

    async def count(_: Material) -> Report:
        runs.append(1)
        return Report()

    suite = CheckSuite([check(count)], lite, tmp_path / "scratch", None)
    tree = FileTree({"a": b"1"})
    first = await suite.run(tree, None, lambda _: None)
    assert await suite.known(tree, None) == first
    await suite.known(tree.changed({"a": b"2"}), None)
    assert len(runs) == 2
    await asyncio.gather(*(suite.run(FileTree({"b": bytes([number])}), None, lambda _: None) for number in range(4)))


async def test_what_is_there_may_be_imported(suite_of: Callable[..., CheckSuite]) -> None:
    good: dict[str, bytes | None] = {
        "more.py": b"import json\nfrom fastapi import FastAPI\nfrom helpers.a import b\ntry:\n    import ghost\nexcept ImportError:\n"
        b"    ghost = None\nused = (json, FastAPI, b, ghost)\n",
        "helpers/a.py": b"b = 1\n",
        "frontend/a.tsx": b"import React, {useState} from 'react'\nimport all, {one, two as three} from './lib'\nimport './a.css'\n"
        b"import * as lib from './lib'\nimport {any} from './open'\nexport const used = [React, useState, all, one, three, lib, any]\n",
        "frontend/lib.ts": b"export const one = 1\nconst two = 2\nexport {two}\nexport default function all() {}\n",
        "frontend/open.ts": b"export * from './lib'\n",
        "frontend/a.css": b"a{}\n",
        "static/a.js": b"import {x} from './b.js'\nimport 'https://example.com/x.js'\nx()\n",
        "static/b.js": b"export function x() {}\nexport const {y, z} = {}\n",
    }
    assert (await run(suite_of(), good))["imports"].findings == ()


async def test_html_that_was_escaped_or_is_fixed_is_fine(suite_of: Callable[..., CheckSuite]) -> None:
    good: dict[str, bytes | None] = {
        "extra.py": b"from html import escape\nfrom fastapi.responses import HTMLResponse\n\n\ndef f(x: str) -> HTMLResponse:\n"
        b"    return HTMLResponse(f'<p>{escape(x)}</p>')\n",
        "static/a.js": b"list.innerHTML = ''\nlist.insertAdjacentHTML('beforeend', `<p>${escapeHtml(x)}</p>`)\nlog.write(name)\n",
        "frontend/a.jsx": b"export const A = () => <p dangerouslySetInnerHTML={{__html: '<b>x</b>'}} title=\"x\" />\n",
    }
    assert (await run(suite_of(), good))["markup"].findings == ()


async def test_a_wrong_name_comes_with_the_right_one(suite_of: Callable[..., CheckSuite]) -> None:
    (found,) = (await run(suite_of(), {"extra.py": b"import fastapy\n"}))["imports"].findings
    assert found.message.endswith("Did you mean fastapi?")
    files: dict[str, bytes | None] = {
        "static/a.js": b"import {z} from './b.js'\nz()\n",
        "static/b.js": b"export const y = 1\n",
    }
    (found,) = (await run(suite_of(), files))["imports"].findings
    assert found.message == "static/b.js does not export z; it exports y."


async def test_pages_are_for_everyone(suite_of: Callable[..., CheckSuite]) -> None:
    page = (
        b"<!doctype html><html><head></head><body><img src=a.png><button></button><a href=/><b></b></a><input name=q>"
        b"<i id=x></i><i id=x></i><label>Name <input></label><label for=z>Z</label><input id=z><button aria-label=Go></button>"
        b"<a href=/><img src=a.png alt=Home></a><input type=submit></body></html>"
    )
    found = (await run(suite_of(), {"extra.html": page}))["pages"]
    assert found.status == "passed"
    assert sorted(one.rule for one in found.findings) == [
        "duplicate-id", "duplicate-id", "img-alt", "label", "lang", "name", "name", "title", "viewport",
    ]  # fmt: skip


async def test_a_static_page_names_only_files_that_are_there(suite_of: Callable[..., CheckSuite]) -> None:
    manifest = AppManifest.model_validate(
        {
            "name": "a",
            "title": "A",
            "analysis": "",
            "kind": "static",
            "files": [{"path": "index.html", "role": "uix", "description": ""}],
        }
    )
    page = b"<script src='app.js'></script><link rel=stylesheet href='/gone.css?x=1'><img src='https://x.org/a.png'><a href='nowhere'>x</a>"
    tree = FileTree({"index.html": page, "app.js": b"", "app.json": manifest.to_bytes()})
    found = {one.name: one for one in await suite_of().run(tree, manifest, lambda _: None)}["pages"]
    assert [one.message for one in found.findings if one.rule == "missing-file"] == ["/gone.css is no file of the app."]
    assert found.status == "failed"


async def test_row_level_security_that_is_there_is_fine(suite_of: Callable[..., CheckSuite]) -> None:
    sql = (
        b"create table notes (id int);\nalter table public.notes enable row level security;\n"
        b"create policy r on notes for select using (true);\n"
        b"create function f() returns int language sql security definer set search_path = '' as $$ select 1 $$;\n"
        b"create function g() returns int language sql security definer as $$ select 1 $$;\n"
    )
    found = (await run(suite_of(), {"supabase/a.sql": sql}))["sql"]
    assert [(one.rule, one.line) for one in found.findings] == [("search-path", 5)]
    assert "sql" not in await run(suite_of(), {"report.sql": sql})


async def test_helpers_may_do_the_asserting(suite_of: Callable[..., CheckSuite]) -> None:
    test = b"import pytest\n\n\ndef good(x: int) -> None:\n    assert x\n\n\ndef test_a() -> None:\n    good(1)\n\n\ndef test_b() -> None:\n    with pytest.raises(ValueError):\n        int('x')\n"
    found = await run(suite_of(), {"test_extra.py": test, "a.test.ts": b"it('x', () => {\n  expect(1).toBe(1)\n})\n"})
    assert found["test-worth"].findings == ()


async def test_an_error_keeps_dear_checks_from_running_unless_it_was_there_before(
    suite_of: Callable[..., CheckSuite],
) -> None:
    tree, manifest = app()
    bad = tree.changed({"extra.py": b"print(ghost)\n"})
    shown: list[str] = []

    async def nothing() -> set[str]:
        return set()

    async def everything() -> set[str]:
        whole = await suite_of().run(bad, manifest, shown.append)
        return {one.fingerprint for result in whole for one in result.findings}

    first = {one.name: one for one in await suite_of().run(bad, manifest, shown.append, nothing)}
    assert (first["ruff"].status, first["tests"].status) == ("failed", "not_run")
    assert "come first" in first["tests"].note
    assert any("syntax ✓" in line and "ruff …" in line for line in shown)
    again = {one.name: one for one in await suite_of().run(bad, manifest, shown.append, everything)}
    assert (again["ruff"].status, again["tests"].status) == ("failed", "passed")


async def test_linters_mend_only_the_rules_they_are_told(suite_of: Callable[..., CheckSuite]) -> None:
    tree = FileTree(
        {
            "a.py": b"import os\nx = None\nprint(f'x', x == None)\n",
            "b.py": b"import os\n",
            "a.js": b"debugger;\nvar x = !!(!!y);\n",
        }
    )
    fixed = await suite_of().fixed(tree, {"a.py": ["F401"], "a.js": ["eslint(no-debugger)"]})
    assert fixed["a.py"] == b"x = None\nprint(f'x', x == None)\n"
    assert fixed["b.py"] == b"import os\n"
    assert b"!!(!!y)" in fixed["a.js"]


HOLLOW = b"""import main
import pytest
from fastapi.testclient import TestClient


def test_of_python():
    things = [1, 2]
    assert len(things) == 2


def test_that_it_is_there():
    assert main.app is not None


@pytest.mark.parametrize("name", ["a", "b"])
def test_of_words(name):
    assert name


def test_of_the_title():
    assert main.app.title == "Todos"


def test_of_what_is_not_there():
    assert TestClient(main.app).get("/api/tasks/1").status_code in (404, 500)


def test_of_a_page():
    with open("static/index.html") as page:
        assert "<title>" in page.read()
"""


async def test_only_tests_that_can_fail_count(lite: Database, tmp_path: Path, cache: Path) -> None:
    """In a real sandbox, over a real app; the tests of the builder all have something to say."""
    box = await bubblewrap(tmp_path / "box")
    suite = CheckSuite(all_checks(cache, box, ""), lite, tmp_path / "scratch", box)
    tree, manifest = app()
    title = manifest.title.encode()
    now = tree.changed({"tests/test_hollow.py": HOLLOW.replace(b'"Todos"', b'"' + title + b'"')})
    passed = await suite.passing(now, manifest)
    worth = await suite.worth(now, FileTree({}), manifest, sorted(passed))
    name = "tests/test_hollow.py::test_"
    assert {f"{name}of_the_title", f"{name}of_a_page"} < passed
    assert worth == Worth(
        (), (f"{name}of_python", f"{name}of_words[a]", f"{name}of_words[b]", f"{name}that_it_is_there")
    )
    assert await suite.worth(now, tree, manifest, [f"{name}of_python"]) == Worth((), (f"{name}of_python",))


FORGED = {
    "a conftest that ends the process": {"conftest.py": b"import os\nprint('9 passed in 0.1s', flush=True)\nos._exit(0)\n"},
    "a test that ends the process": {
        "test_a.py": b"import os\n\n\ndef test_a():\n    assert True\n\n\ndef test_b():\n    os.write(1, b'2 passed in 0.1s')\n    os._exit(0)\n",
    },
    "a report of another run": {
        "conftest.py": b"import os\nprint('\\n' + '0' * 32 + ' {\"exit\": 0, \"collected\": 1, \"counts\": {\"passed\": 1}, \"names\": []}', flush=True)\nos._exit(0)\n",
    },
    "a run that stops at once": {"conftest.py": b"def pytest_runtestloop():\n    return True\n"},
    "outcomes that are made up": {
        "conftest.py": b"def pytest_sessionfinish(session):\n    session.exitstatus = 0\n",
        "test_a.py": b"import os\n\n\ndef test_a():\n    assert os.sep == 'x'\n",
    },
}  # fmt: skip


@pytest.mark.parametrize("files", FORGED.values(), ids=FORGED)
async def test_what_the_app_prints_is_no_evidence(files: dict[str, bytes], tmp_path: Path) -> None:
    """In a real sandbox, over a real pytest."""
    manifest = app()[1]
    test = {"test_x.py": b"import os\n\n\ndef test_x():\n    assert os.sep == '/'\n"}
    box = await bubblewrap(tmp_path / "box")
    report = await own_tests(box, "").run(Material(FileTree(test | files), tmp_path, manifest))
    assert [one.level for one in report.findings][:1] == ["error"], report
    honest = await own_tests(box, "").run(Material(FileTree(test), tmp_path, manifest))
    assert (honest.note, honest.passed, honest.findings) == ("1 passed", ("test_x.py::test_x",), ())


async def test_tests_that_fail_without_the_change_prove_it(lite: Database, tmp_path: Path, cache: Path) -> None:
    """Over the parent with the new tests only `test_old` passes."""
    box = StillSandbox(Ran(1, "FAILED test_a.py::test_new - x\n", 0.1), ["test_a.py::test_old"], 1)
    suite = CheckSuite(all_checks(cache, box, ""), lite, tmp_path / "scratch", box)
    tree, manifest = app()
    now = tree.changed({"test_a.py": b"def test_old(): ...\ndef test_new(): ..."})
    passed = ("test_a.py::test_old", "test_a.py::test_new", "tests/test_other.py::test_x")
    assert await suite.worth(now, tree, manifest, passed) == Worth(("test_a.py::test_new",), ("test_a.py::test_old",))
    assert await suite.worth(now, now, manifest, passed) == Worth()
    front = tree.changed({"frontend/a.test.ts": b"test('x', () => {})"})
    assert await suite.worth(front, tree, manifest, ("frontend/a.test.ts::x",)) == Worth()
    with pytest.raises(OutsideError, match="no sandbox"):
        await suite_without_sandbox(lite, tmp_path, cache).passing(tree, manifest)


async def test_files_with_secrets_are_told_apart(suite_of: Callable[..., CheckSuite]) -> None:
    key = b"# fine\nKEY = 'sk-or-v1-0123456789abcdef0123456789abcdef'\n"
    assert await suite_of().leaking(FileTree({"a.py": key, "b.py": b"KEY = 1\n"})) == {"a.py"}


def suite_without_sandbox(lite: Database, tmp_path: Path, cache: Path) -> CheckSuite:
    return CheckSuite(all_checks(cache, None, ""), lite, tmp_path / "scratch", None)


COUNTER = {
    "frontend/src/counter.tsx": b"""import { useState } from "react";
export function Counter() {
  const [count, set] = useState(0);
  return <button onClick={() => set(count + 1)}>{count}</button>;
}
""",
    "frontend/src/counter.test.tsx": b"""import { fireEvent, render, screen } from "@testing-library/react";
import { Counter } from "./counter";
test("counts", () => {
  render(<Counter />);
  fireEvent.click(screen.getByRole("button"));
  expect(screen.getByRole("button").textContent).toBe("1");
});
describe("deep", () => {
  test("falls > short", () => expect(1 + 1).toBe(3));
  test.skip("later", () => expect(1).toBe(2));
});
""",
}
NODE_TESTS = b"""import assert from "node:assert";
import test from "node:test";
test("adds", () => assert.equal(1 + 1, 2));
test("falls short", () => assert.equal(1 + 1, 3));
"""


@pytest.fixture
def docker(tmp_path: Path) -> Iterator[DockerSandbox]:
    client = docker_client()
    yield DockerSandbox(client, tmp_path / "docker", "tests")
    client.close()


async def test_tests_of_the_front_end_run_and_are_named(docker: DockerSandbox, tmp_path: Path) -> None:
    report = await vitest_check(docker, "").run(Material(FileTree(COUNTER), tmp_path, None))
    assert report.passed == ("frontend/src/counter.test.tsx::counts",)
    assert [(one.path, one.message) for one in report.findings] == [
        ("frontend/src/counter.test.tsx", "deep > falls > short: expected 2 to be 3 // Object.is equality")
    ]
    assert report.note == "1 passed, 1 failed"
    broken = FileTree(COUNTER | {"frontend/src/counter.tsx": b"throw new Error('no');\n"})
    with pytest.raises(OutsideError, match="vitest ended with code 1"):
        await vitest_check(docker, "").run(Material(broken, tmp_path, None))


async def test_tests_of_a_node_app_run_and_are_named(docker: DockerSandbox, tmp_path: Path) -> None:
    manifest = app()[1].model_copy(update={"kind": "node", "test": ["node", "--test"]})
    material = Material(FileTree({"a.test.mjs": NODE_TESTS}), tmp_path, manifest)
    report = await own_tests(docker, "").run(material)
    assert (report.passed, report.note) == (("adds",), "1 passed, 1 failed")
    assert [(one.path, one.message) for one in report.findings] == [("a.test.mjs", "falls short: 2 == 3")]
    empty = await own_tests(docker, "").run(Material(FileTree({"a.mjs": b""}), tmp_path, manifest))
    assert (empty.status, empty.note) == ("not_run", "the test command ran no test")


FORGED_NODE = {
    "a test that ends the process": b"import test from 'node:test';\ntest('one', () => {});\ntest('two', () => process.exit(0));\n",
    "a file that prints a report and ends": b"console.log('TAP version 13\\nok 1 - made up\\n1..1');\nprocess.exit(0);\n",
    "a report under a secret that it looked for": b"console.log(`\\n${process.env.THREADWRIGHT_RUN} {}`);\nprocess.exit(0);\n",
}


@pytest.mark.parametrize("test", FORGED_NODE.values(), ids=FORGED_NODE)
async def test_what_a_node_app_prints_is_no_evidence(docker: DockerSandbox, test: bytes, tmp_path: Path) -> None:
    manifest = app()[1].model_copy(update={"kind": "node", "test": ["node", "--test"]})
    tree = FileTree({"a.test.mjs": NODE_TESTS.split(b'test("falls')[0], "b.test.mjs": test})
    report = await own_tests(docker, "").run(Material(tree, tmp_path, manifest))
    assert report.passed == ("adds",)
    assert [(one.path, one.level) for one in report.findings] == [("b.test.mjs", "error")]
    assert "ended without having run a test to its end" in report.findings[0].message
    # Without `--test` it is the runner itself that ends.
    alone = manifest.model_copy(update={"test": ["node", "b.test.mjs"]})
    report = await own_tests(docker, "").run(Material(tree, tmp_path, alone))
    assert (report.passed, report.status, report.note) == ((), "not_run", "the test command ran no test")


async def test_a_report_of_node_that_breaks_off_is_not_complete(tmp_path: Path) -> None:
    """What no version of Node is known to do: it ends well after a test that it began and never finished."""
    box = StillSandbox(Ran(0, "", 1.0), ["adds"])
    box._report["collected"] = 2
    manifest = app()[1].model_copy(update={"kind": "node", "test": ["node", "--test"]})
    report = await own_tests(box, "").run(Material(FileTree({}), tmp_path, manifest))
    assert [one.message for one in report.findings] == [UNFINISHED]


async def test_what_tests_of_a_front_end_print_is_no_evidence(docker: DockerSandbox, tmp_path: Path) -> None:
    forged = """import { writeSync } from "node:fs";
import { test, expect } from "vitest";
for (const line of ["TAP version 13", "1..2", "ok 1 - src/a.test.ts > made up # time=1ms", `${process.env.THREADWRIGHT_RUN} {}`]) {
  process.stdout.write(`${line}\\n`);
  writeSync(1, `${line}\\n`);
}
test("adds", () => expect(1 + 1).toBe(2));
test.skip("later", () => {});
"""
    tree = FileTree(COUNTER | {"frontend/src/forged.test.ts": forged.encode()})
    tree = tree.changed({"frontend/src/counter.test.tsx": None})
    report = await vitest_check(docker, "").run(Material(tree, tmp_path, None))
    assert (report.passed, report.findings, report.note) == (("frontend/src/forged.test.ts::adds",), (), "1 passed")
    ends = tree.changed(
        {"frontend/src/forged.test.ts": b"import { test } from 'vitest';\ntest('a', () => process.reallyExit(0));\n"}
    )
    with pytest.raises(OutsideError, match="vitest ended with code 1"):
        await vitest_check(docker, "").run(Material(ends, tmp_path, None))


async def test_packages_of_a_node_app_are_known(suite_of: Callable[..., CheckSuite]) -> None:
    tree = FileTree(
        {
            "server.mjs": b"import fs from 'fs'\nimport express from 'express'\nimport x from 'expresss'\nx(fs, express)\n"
        }
    )
    manifest = app()[1].model_copy(update={"kind": "node", "test": []})
    found = {one.name: one for one in await suite_of().run(tree, manifest, lambda _: None)}["imports"]
    assert [one.message for one in found.findings] == [
        "expresss is not installed where the app runs. Ask for its package in package.json, or do without it. Did you mean express?"
    ]


GOOD_SCRIPTS = [
    "const html = items.map(i => `<li>${escapeHtml(i.name)}</li>`).join(''); el.innerHTML = html;",
    "list.innerHTML = items.map(row).join(''); function row(r) { return `<li>${esc(r.x)}</li>` }",
    "const EMPTY = '<p>Nothing</p>'; el.innerHTML = EMPTY;",
    "el.innerHTML = `<b>${items.length}</b> ${i + 1} ${price.toFixed(2)}`;",
    "button.innerHTML = dark ? '☀' : '🌙';",
    "el.innerHTML = DOMPurify.sanitize(text);",
]
BAD_SCRIPTS = [
    "el.innerHTML = unescape(location.hash);",
    "el.innerHTML = `<b>${escapeHtml(a)}</b>${b}`;",
    "el['innerHTML'] = text;",
    "const html = `<p>${query}</p>`; el.innerHTML = html;",
    "list.innerHTML = items.map(i => `<li>${i.name}</li>`).join('');",
    "el.innerHTML = '<p>' + name + 1 + '</p>';",
]
GOOD_PYTHON = [
    "HTMLResponse(f'<p>{total:.2f} {len(items)}</p>')",
    "HTMLResponse(Path(f'static/{page}.html').read_text())",
    "HTMLResponse(templates.get_template(f'{name}.html').render(x=x))",
    "TITLE = 'x'\nHTMLResponse(f'<p>{TITLE}</p>')",
    "from html import escape as e\nHTMLResponse(f'<p>{e(x)}</p>')",
    "rows = ''.join(f'<li>{escape(i)}</li>' for i in items)\nHTMLResponse(f'<ul>{rows}</ul>')",
]
BAD_PYTHON = [
    "HTMLResponse(content=f'<p>{name}</p>')",
    "page = f'<p>{name}</p>'\nHTMLResponse(page)",
    "HTMLResponse('<p>' + name + '</p>')",
    "HTMLResponse('<p>%s</p>' % name)",
    "HTMLResponse('<p>{}</p>'.format(name))",
    "@app.get('/', response_class=HTMLResponse)\ndef f(name): return f'<p>{name}</p>'",
    "def row(i): return f'<li>{i}</li>'\nHTMLResponse(f'{row(x)}')",
]


def test_only_text_that_nobody_escaped_is_told() -> None:
    for text in GOOD_SCRIPTS:
        assert list(open_sinks("a.js", text)) == [], text
    for text in BAD_SCRIPTS:
        assert list(open_sinks("a.js", text)), text
    for text in GOOD_PYTHON:
        assert list(open_responses(f"import HTMLResponse\n{text}")) == [], text
    for text in BAD_PYTHON:
        assert list(open_responses(f"import HTMLResponse\n{text}")), text


FINE = {
    "frontend/tsconfig.json": '{\n  /* Bundler mode */\n  "compilerOptions": { "strict": true, }, // yes\n}',
    "helpers.py": "def check_page(client): assert client\n",
    "marked.json": "\ufeff{}", "digits.json": '{"a": ' + "1" * 5_000 + "}",
    "tests/test_many.py": """import pytest
from helpers import check_page
@pytest.fixture
def test_client(): return 1
def test_page(client): check_page(client)
@pytest.mark.skip
def test_later(): pass
class Fake:
    def test_connection(self): pass
class TestShop:
    def test_get(self): assert f()
""",
    "frontend/a.test.ts": """import { it, test, expect } from 'vitest'
function check(x) { expect(x).toBe(1) }
test.describe('Home page', () => {
  it('adds', () => { check(add(0, 1)) })
  it.todo('later')
  it('shows', () => { screen.getByText('Hello') })
})
""",
    "frontend/b.ts": "import { BrowserRouter } from 'react-router'\nimport type { Q } from './ambient'\nimport { a } from './types.js'\n",
    "frontend/ambient.d.ts": "export type Q = string\n", "frontend/types.ts": "export const a = 1\n",
    "frontend/vite.config.ts": "import { resolve } from 'path'\nexport default resolve('x')\n",
    "supabase/a.sql": """create table if not exists public.items (id int);
alter table if exists public.items force row level security, enable row level security;
create table "my-items" (id int); alter table "my-items" enable row level security;
create table private.secrets (id int);
create policy p on items for all to service_role using (true);
create policy "for all" on items for select using (true);
create policy guests on items for insert to anon with check (true);
create table a (id int); drop table a;
create function f() returns void language sql as $$ create table t (id int); select 1 $$;
""",
}  # fmt: skip


async def test_what_people_usually_write_is_no_error(suite_of: Callable[..., CheckSuite]) -> None:
    found = await run(suite_of(), {path: text.encode() for path, text in FINE.items()})
    names = ("syntax", "imports", "pages", "sql", "test-worth", "markup")
    assert [one for name in names for one in found[name].findings if one.level == "error"] == []


@pytest.mark.parametrize(
    ("path", "content", "check", "rule"),
    [
        ("supabase/a.sql", "create unlogged table x (id int);", "sql", "rls"),
        ("supabase/a.sql", "create policy \"for select\" on x for all using ((true));", "sql", "rls-open"),
        ("test_x.py", "class TestA:\n    def test_a(self): assert 1 == 1\nclass TestB:\n    def test_a(self): assert f()\n", "test-worth", "cannot-fail"),
        ("test_x.py", "def test_a(): assert (x, 'no')\n", "test-worth", "cannot-fail"),
        ("test_x.py", "def test_a(): assert x or True\n", "test-worth", "cannot-fail"),
        ("a.test.js", "it('a', () => {\n  // it should work\n  expect(true).toBe(true)\n})\n", "test-worth", "cannot-fail"),
        ("deep.toml", "a = " + "[" * 3_000, "syntax", "syntax"),
        ("deep.yaml", "[" * 6_000, "syntax", "syntax"),
        ("odd.yaml", 'a: "\\UFFFFFFFF"', "syntax", "syntax"),
    ],
)  # fmt: skip
async def test_less_usual_faults_are_found(
    suite_of: Callable[..., CheckSuite], path: str, content: str, check: str, rule: str
) -> None:
    found = (await run(suite_of(), {path: content.encode()}))[check]
    assert (found.status, found.findings[0].rule) == ("failed", rule)


async def test_a_long_sum_or_a_deep_page_is_no_crash(suite_of: Callable[..., CheckSuite]) -> None:
    files: dict[str, bytes | None] = {
        "sum.py": b"if " + b"+".join([b"1"] * 1_500) + b": pass\n",
        "static/deep.html": b"<div>" * 3_000 + b"</div>" * 3_000,
    }
    found = await run(suite_of(), files)
    assert [one.note for one in found.values() if one.note == "the check itself failed"] == []


async def test_a_static_page_is_read_as_a_browser_does(suite_of: Callable[..., CheckSuite]) -> None:
    manifest = app()[1].model_copy(update={"kind": "static"})
    page = """<link rel="canonical" href="/"><link rel="dns-prefetch" href="fonts.example.com"><img src="img/a%20b.png" alt="">
<img src alt=""><script src="../app.js"></script><template><img src="{{x}}" alt=""><img src="later.png" alt=""></template>"""
    tree = FileTree({"index.html": page.encode(), "img/a b.png": b"", "app.js": b""})
    found = {one.name: one for one in await suite_of().run(tree, manifest, lambda _: None)}["pages"]
    assert [one for one in found.findings if one.level == "error"] == []


async def test_one_odd_rule_does_not_keep_the_others_from_being_mended(suite_of: Callable[..., CheckSuite]) -> None:
    tree = FileTree({"a.py": b"import os\n", "b.py": b"def f(a):\n    global a\n"})
    fixed = await suite_of().fixed(tree, {"a.py": ["F401"], "b.py": ["invalid-syntax"]})
    assert (fixed["a.py"], fixed["b.py"]) == (b"", tree["b.py"])


def test_a_test_is_touched_when_it_or_what_is_around_it_changes() -> None:
    old = "DATA = 1\ndef test_a(): assert f(DATA)\nclass TestB:\n    def test_b(self): assert g()\n"
    same = touched_tests(old, old + "def test_c(): assert h()\n")
    assert [same(f"t.py::{name}") for name in ("test_a", "TestB::test_b", "test_c", "test_c[1]")] == [
        False,
        False,
        True,
        True,
    ]
    assert touched_tests(old, old.replace("DATA = 1", "DATA = 2"))("t.py::test_a")
    assert touched_tests(old, old.replace("g()", "not g()"))("t.py::TestB::test_b")
    assert touched_tests(old, "def broken(:")("t.py::test_a")


WORTHY = {
    "logic.py": b"""from enum import Enum


class Colour(Enum):
    RED = "red"


shout_one = lambda word: word.upper()  # noqa: E731


def shout(text):
    for word in text.split():
        yield word.upper()
""",
    "tests/test_logic.py": b"""import logic


def test_shout():
    assert list(logic.shout("a b")) == ["A", "B"]


def test_shout_one():
    assert logic.shout_one("a") == "A"


def test_colour():
    assert logic.Colour("red") is logic.Colour.RED


def test_nothing():
    logic.shout("a")
    assert True
""",
    "pyproject.toml": b"[tool.pytest.ini_options]\npythonpath = ['.']\n",
}


async def test_generators_lambdas_and_enums_are_broken_too(lite: Database, tmp_path: Path, cache: Path) -> None:
    box = await bubblewrap(tmp_path / "box")
    suite = CheckSuite(all_checks(cache, box, ""), lite, tmp_path / "scratch", box)
    tree, manifest = FileTree(WORTHY), app()[1]
    passed = sorted(await suite.passing(tree, manifest))
    assert len(passed) == 4
    assert await suite.worth(tree, FileTree({}), manifest, passed) == Worth((), ("tests/test_logic.py::test_nothing",))


async def test_what_takes_long_starts_early_and_is_ended_when_it_is_not_needed(lite: Database, tmp_path: Path) -> None:
    seen: list[str] = []

    def named(name: str, level: int, findings: Sequence[Finding] = (), *, early: bool = False) -> Check:
        async def run(_: Material) -> Report:
            seen.append(f"{name} began")
            try:
                await asyncio.sleep(0.2 if early else 0)
            except asyncio.CancelledError:
                seen.append(f"{name} cancelled")
                raise
            return Report(tuple(findings))

        return Check(name, level, lambda _: True, run, early)

    async def nothing() -> set[str]:
        return set()

    long, quick = named("long", 2, early=True), named("quick", 1)
    tree = FileTree({"a.py": b"x = 1\n"})
    good = await CheckSuite([long, quick], lite, tmp_path / "a", None).run(tree, None, lambda _: None, nothing)
    assert [one.status for one in good] == ["passed", "passed"]
    assert seen == ["long began", "quick began"] or seen == ["quick began", "long began"]
    seen.clear()
    bad = named("bad", 1, [Finding("x", "error", "a.py", 1, "no", "bad")])
    found = await CheckSuite([long, bad], lite, tmp_path / "b", None).run(tree, None, lambda _: None, nothing)
    assert [one.status for one in found] == ["not_run", "failed"]
    assert "long cancelled" in seen
