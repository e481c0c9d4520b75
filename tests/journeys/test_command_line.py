"""The terminal: the same turns, one JSON object, honest exit codes."""

import contextlib
import json
import re
import socket as socket_module
import sqlite3
import subprocess
import sys
from pathlib import Path
from typing import Any

import httpx
import pytest

from tests.needs import some_sandbox
from tests.servers.process import ROOT, BotProcess, free_port, seeded


class Terminal:
    """Runs `python -m bot` on one data directory."""

    def __init__(self, data: Path) -> None:
        self.data = data
        self.env = {
            "PATH": "/usr/bin:/bin:/usr/sbin:/sbin", "THREADWRIGHT_SANDBOX": "bubblewrap", "THREADWRIGHT_BROWSER": "none",
            "THREADWRIGHT_PREVIEW_PORT": str(free_port()),
        }  # fmt: skip

    def run(self, *argv: str, **more: Any) -> subprocess.CompletedProcess[str]:
        command = [sys.executable, "-m", "bot", *argv, "--data-dir", str(self.data)]
        return subprocess.run(command, cwd=ROOT, env=self.env, capture_output=True, text=True, timeout=180, **more)

    def json(self, *argv: str, code: int = 0, **more: Any) -> dict[str, Any]:
        done = self.run(*argv, "--json", **more)
        assert done.returncode == code, done.stderr
        (line,) = done.stdout.splitlines()
        found: dict[str, Any] = json.loads(line)
        return found


@pytest.fixture
def terminal(tmp_path: Path) -> Terminal:
    return Terminal(seeded(tmp_path / "data"))


def test_a_thread_from_the_first_word_to_the_export(terminal: Terminal, tmp_path: Path) -> None:
    some_sandbox(tmp_path / "probe")
    built = terminal.json("ask", "--thread", "shop", "Build a todo app")
    assert list(built) == [
        "session", "turn", "outcome", "commit", "parent", "kept", "files", "checks", "findings", "preview", "usage", "seconds", "message",
    ]  # fmt: skip
    assert (built["outcome"], built["parent"], built["preview"]["state"]) == ("done", None, "ready")
    assert {"path": "main.py", "status": "added"}.items() <= next(
        one for one in built["files"] if one["path"] == "main.py"
    ).items()
    assert {one["name"] for one in built["checks"]} >= {"syntax", "tests", "mypy"}
    assert set(built["usage"]) == {"input_tokens", "output_tokens", "cost_usd"}

    asked = terminal.json("ask", "--thread", "shop", "Sing me a song")
    assert (asked["outcome"], asked["commit"]) == ("asked", None)

    people = terminal.run("ask", "--thread", "shop", "Add a priority (low, high) to tasks")
    assert people.returncode == 0
    for shown in ("Tasks have priority", "changed  app.json", "✓", "Preview: http://", "builtin"):
        assert shown in people.stdout
    assert '+        "priority"' not in people.stdout

    undone = terminal.json("undo", "--thread", "shop")
    redone = terminal.json("redo", "--thread", "shop")
    again = terminal.json("undo", "--thread", "shop", built["turn"], code=2)
    assert (undone["outcome"], redone["outcome"], again["outcome"]) == ("done", "done", "blocked")
    assert "Nothing was changed" in again["message"]

    log = terminal.json("log", "--thread", "shop")["commits"]
    assert [one["title"].split(":")[0] for one in log] == [
        "Redo",
        "Undo",
        "Add a priority (low, high) to tasks",
        "Build a todo app",
    ]
    commit = terminal.json("show", "--thread", "shop", built["commit"][:8])
    assert commit["commit"] == built["commit"]
    diff = terminal.json("diff", "--thread", "shop", built["commit"], redone["commit"])
    assert "priority" in diff["diff"]
    assert [one["thread"] for one in terminal.json("threads")["threads"]] == ["shop"]
    edits = terminal.json("edits")["edits"]
    assert {one["how"] for one in edits} <= {"exact", "whole file"}
    assert {one["model"] for one in edits} == {"builtin"}

    clone = tmp_path / "clone"
    assert terminal.json("export", "--thread", "shop", "--dir", str(clone))["commit"] == redone["commit"]
    assert terminal.json("export", "--thread", "shop", "--zip", str(tmp_path / "a.zip"))["path"].endswith("a.zip")
    (clone / "notes.md").write_text("by hand\n")
    subprocess.run(["git", "-C", clone, "add", "."], check=True)
    subprocess.run(
        ["git", "-C", clone, "-c", "user.name=Cleo", "-c", "user.email=c@example.com", "commit", "-qm", "By hand"],
        check=True,
    )
    taken = terminal.json("import", "--thread", "shop", str(clone))
    assert (taken["outcome"], taken["preview"]["state"]) == ("done", "ready")
    assert {one["name"] for one in taken["checks"]} >= {"syntax", "tests", "mypy"}
    assert terminal.json("import", "--thread", "shop", str(clone))["message"] == "Nothing in it is new."
    assert terminal.json("log", "--thread", "shop")["commits"][0]["title"] == "By hand"
    assert terminal.json("import", "--thread", "copy", str(clone))["outcome"] == "done"


def test_what_is_imported_is_checked_recognised_and_told_in_the_thread(terminal: Terminal, tmp_path: Path) -> None:
    theirs = tmp_path / "theirs"
    theirs.mkdir()
    (theirs / "package.json").write_text('{"scripts": {"dev": "vite"}, "dependencies": {"react": "19"}}')
    found = terminal.json("import", "--thread", "theirs", str(theirs))
    assert found["outcome"] == "unverified"
    assert "Recognised as a React project (package.json). It does not run here as it is" in found["message"]
    terminal.json("ask", "--thread", "shop", "Build a todo app")
    clone = tmp_path / "clone"
    terminal.json("export", "--thread", "shop", "--dir", str(clone))
    (clone / "main.py").write_text((clone / "main.py").read_text() + "\nbroken(\n")
    subprocess.run(
        ["git", "-C", clone, "-c", "user.name=Cleo", "-c", "user.email=c@example.com", "commit", "-qam", "Oops"],
        check=True,
    )
    people = terminal.run("import", "--thread", "shop", str(clone))
    assert people.stdout.startswith("unverified  Imported as "), people.stderr
    assert "The checks find 1 error in it" in people.stdout
    assert "main.py" in people.stdout
    with contextlib.closing(sqlite3.connect(terminal.data / "threadwright.db")) as store:
        said = " ".join(str(row) for row in store.execute("SELECT * FROM message WHERE kind <> 'person'"))
    assert "The checks find 1 error in it" in said


def test_errors_are_sentences(terminal: Terminal) -> None:
    for argv, said in (
        (["undo", "--thread", "ghost"], "no such thread"),
        (["log", "--thread", "ghost2"], "no such thread"),
        (["export", "--thread", "ghost3", "--zip", "x.zip"], "no such thread"),
    ):
        done = terminal.run(*argv)
        assert done.returncode == 1
        assert said in done.stdout + done.stderr
        assert "Traceback" not in done.stderr


def test_slips_in_names_and_places_are_told_and_open_nothing(terminal: Terminal, tmp_path: Path) -> None:
    terminal.json("ask", "--thread", "bikes", "Make a landing page for a bicycle workshop")
    (tmp_path / "file").touch()
    for argv, said in (
        (["undo", "--thread", "bikse"], "Did you mean 'bikes'?"),
        (["log", "--thread", "Bikes"], "Did you mean 'bikes'?"),
        (
            ["export", "--thread", "bikes", "--zip", str(tmp_path / "none" / "a.zip")],
            "a.zip cannot be written: No such",
        ),
        (["export", "--thread", "bikes", "--zip", str(tmp_path)], "cannot be written: Is a directory"),
        (["export", "--thread", "bikes", "--dir", str(tmp_path / "file")], "cannot be written: Not a directory"),
    ):
        done = terminal.run(*argv)
        assert (done.returncode, "Traceback" in done.stderr) == (1, False), done.stderr
        assert said in done.stdout + done.stderr
    (only,) = terminal.json("threads")["threads"]
    assert only["thread"] == "bikes"
    assert re.search(
        r"  \d{4}-\d\d-\d\d \d\d:\d\d  Make a landing page", terminal.run("log", "--thread", only["slug"]).stdout
    )


def test_a_message_can_come_from_standard_input(terminal: Terminal) -> None:
    done = terminal.run("ask", "--thread", "x", "--json", "-", input="   ")
    assert done.returncode == 1
    assert json.loads(done.stdout)["message"].startswith("The message is empty")


def test_the_doctor_lists_what_is_there_and_what_to_do(terminal: Terminal) -> None:
    done = terminal.run("doctor")
    assert done.returncode == 0
    for name in (
        "Model",
        "Database",
        "Docker",
        "bubblewrap",
        "Caddy",
        "git",
        "Browser",
        "Slack",
        "Discord",
        "THREADWRIGHT_PORT",
    ):
        assert name in done.stdout
    assert "OPENROUTER_API_KEY" in done.stdout
    assert "Previews: http://NAME.preview.localhost" in done.stdout
    assert "THREADWRIGHT_PORT=8000" in done.stdout
    assert "THREADWRIGHT_SLACK_BOT_TOKEN=(not set)" in done.stdout
    terminal.env |= {"THREADWRIGHT_DISCORD_TOKEN": "very-secret", "THREADWRIGHT_DISCORD_API_URL": "http://127.0.0.1:9"}
    done = terminal.run("doctor")
    assert "THREADWRIGHT_DISCORD_TOKEN=(set)" in done.stdout
    assert "very-secret" not in done.stdout + done.stderr
    assert "set THREADWRIGHT_PREVIEW_ZONE and THREADWRIGHT_PREVIEW_URL" in done.stdout


def test_migrate_runs_alone(terminal: Terminal) -> None:
    assert terminal.run("migrate").stdout.strip() == "The database is up to date."


def test_a_slip_in_the_data_directory_creates_nothing(terminal: Terminal, tmp_path: Path) -> None:
    other = Terminal(tmp_path / "dtaa")
    for argv in (["threads"], ["ask", "--thread", "x", "Build a todo app"], ["import", "--thread", "x", str(tmp_path)]):
        done = other.run(*argv)
        assert (done.returncode, "There is no data directory" in done.stderr) == (1, True), done.stderr
    assert not (tmp_path / "dtaa").exists()


def test_commands_work_beside_a_running_bot(tmp_path: Path) -> None:
    bot = BotProcess(
        tmp_path / ("long" * 30) / "data", {"THREADWRIGHT_SANDBOX": "none", "THREADWRIGHT_BROWSER": "none"}
    )
    bot.start()
    try:
        terminal = Terminal(bot.data_dir)
        socket = bot.data_dir / "cli.sock"
        assert socket.resolve().stat().st_mode & 0o077 == 0
        built = terminal.run(
            "ask", "--thread", "page", "Make a landing page for a bicycle workshop called Spoke & Chain"
        )
        assert built.stdout.startswith("done  Spoke & Chain: a page to start from."), built.stderr
        assert "make run" not in built.stdout
        found = terminal.json("ask", "--thread", "page", "-", input="make it dark")
        assert found["outcome"] == "done"
        undone = terminal.run("undo", "--thread", "page", "--diff")
        assert "\n+<html" in undone.stdout
        assert "\x1b" not in undone.stdout
        assert terminal.json("redo", "--thread", "page")["outcome"] == "done"
        slug = terminal.json("threads")["threads"][0]["slug"]
        page = httpx.get(f"{bot.url}/t/{slug}", trust_env=False)
        assert "make it dark" in page.text
        assert terminal.json("log", "--thread", "page")["commits"][2]["title"] == "make it dark"
        (tmp_path / "out").mkdir()
        done = subprocess.run(
            [sys.executable, "-m", "bot", "export", "--thread", "page", "--zip", "a.zip", "--data-dir", str(bot.data_dir)],
            cwd=tmp_path / "out", env={**terminal.env, "PYTHONPATH": str(ROOT)}, capture_output=True, text=True, timeout=60,
        )  # fmt: skip
        assert (done.returncode, (tmp_path / "out" / "a.zip").exists()) == (0, True), done.stderr
        slip = terminal.run("log", "--thread", "pgae")
        assert (slip.returncode, slip.stderr) == (
            1,
            "threadwright: There is no such thread. The command `threads` lists all. Did you mean 'page'?\n",
        )
        # A stray connection costs nothing.
        with contextlib.closing(socket_module.socket(socket_module.AF_UNIX)) as stray:
            stray.connect(str(socket.resolve()))
            stray.sendall(b"nonsense\n")
        assert terminal.json("threads")["threads"]
    finally:
        bot.stop()
    assert not socket.exists()
    assert terminal.json("threads")["threads"]
