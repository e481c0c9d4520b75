"""The terminal: the same turns, one JSON object, honest exit codes."""

import json
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from tests.servers.process import ROOT, free_port, seeded


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

    def json(self, *argv: str, code: int = 0) -> dict[str, Any]:
        done = self.run(*argv, "--json")
        assert done.returncode == code, done.stderr
        (line,) = done.stdout.splitlines()
        found: dict[str, Any] = json.loads(line)
        return found


@pytest.fixture
def terminal(tmp_path: Path) -> Terminal:
    return Terminal(seeded(tmp_path / "data"))


def test_a_thread_from_the_first_word_to_the_export(terminal: Terminal, tmp_path: Path) -> None:
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
    for shown in ("Tasks have priority", '+        "priority"', "✓", "Preview: http://", "builtin"):
        assert shown in people.stdout

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
    assert taken["outcome"] == "done"
    assert terminal.json("log", "--thread", "shop")["commits"][0]["title"] == "By hand"
    assert terminal.json("import", "--thread", "copy", str(clone))["outcome"] == "done"


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


def test_migrate_runs_alone(terminal: Terminal) -> None:
    assert terminal.run("migrate").stdout.strip() == "The database is up to date."
