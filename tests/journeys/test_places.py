"""The bot where machines are odd: no home, no locale, a strict umask, few open files, a folder it may not write, a long path."""

import json
import resource
import subprocess
import sys
from pathlib import Path

import pytest

from tests.needs import missing, some_sandbox
from tests.servers.process import ROOT, BotProcess, free_port, seeded


def few_files() -> None:
    """Allow 256 open files, as some service managers do."""
    resource.setrlimit(resource.RLIMIT_NOFILE, (256, 256))


def bot(data: Path, *argv: str) -> subprocess.CompletedProcess[str]:
    """Run a command of the bot in an environment that has next to nothing."""
    env = {
        "PATH": "/usr/bin:/bin:/usr/sbin:/sbin", "LANG": "C", "LC_ALL": "C", "PYTHONPATH": str(ROOT), "PYTHONDONTWRITEBYTECODE": "1",
        "THREADWRIGHT_SANDBOX": "bubblewrap", "THREADWRIGHT_BROWSER": "none", "THREADWRIGHT_PREVIEW_PORT": str(free_port()),
    }  # fmt: skip
    return subprocess.run(
        [sys.executable, "-m", "bot", *argv, "--data-dir", str(data)],
        # Not even root may write there.
        cwd="/proc", env=env, umask=0o077, preexec_fn=few_files, capture_output=True, encoding="utf-8", timeout=180,
    )  # fmt: skip


def test_an_app_is_built_checked_and_shown_where_a_machine_is_odd(tmp_path: Path) -> None:
    some_sandbox(tmp_path / "probe")
    data = seeded(
        tmp_path / "Ordner für Threads und noch mehr, der länger ist als der Name eines Sockets sein darf" / "data"
    )
    done = bot(data, "ask", "--thread", "shop", "--json", "Build a todo app called Café")
    assert done.returncode == 0, done.stderr
    (line,) = done.stdout.splitlines()
    built = json.loads(line)
    assert (built["outcome"], built["preview"]["state"]) == ("done", "ready"), built
    assert {one["name"]: one["status"] for one in built["checks"]}["tests"] == "passed"
    log = bot(data, "log", "--thread", "shop")
    assert log.returncode == 0, log.stderr
    assert "todo app" in log.stdout
    out = tmp_path / "out put"
    exported = bot(data, "export", "--thread", "shop", "--dir", str(out))
    assert exported.returncode == 0, exported.stderr
    assert (out / "main.py").exists()


@pytest.mark.parametrize("command", ["doctor", "threads"])
def test_commands_say_what_they_can_there(command: str, tmp_path: Path) -> None:
    done = bot(seeded(tmp_path / "a b" / "data"), command)
    assert done.returncode in (0, 1)
    assert "Traceback" not in done.stderr + done.stdout
    assert done.stdout.strip() or done.stderr.strip()


def test_a_place_where_nothing_may_be_stored_is_one_sentence() -> None:
    done = bot(Path("/proc/threadwright"), "ask", "--thread", "shop", "Build a todo app")
    assert done.returncode == 1
    assert "Traceback" not in done.stderr
    assert "/proc/threadwright" in done.stderr
    assert len(done.stderr.strip().splitlines()) == 1


def test_the_bot_serves_without_shared_memory_and_by_the_other_protocol(tmp_path: Path) -> None:
    process = BotProcess(
        tmp_path / "data", {"THREADWRIGHT_SANDBOX": "none", "THREADWRIGHT_BROWSER": "none", "THREADWRIGHT_HOST": "::1"}
    )
    process.url = f"http://[::1]:{process.port}"
    hidden = 'mount -t tmpfs -o ro,size=4k none /dev/shm && exec "$@"'
    if subprocess.run(["unshare", "-m", "sh", "-c", hidden, "-", "true"], capture_output=True).returncode:
        missing("a mount namespace", "run the tests as root")
    process.through = ["unshare", "-m", "sh", "-c", hidden, "-"]
    try:
        process.start()
        path = process.begin("Build a landing page for my bakery")
        assert path.startswith("/t/")
    finally:
        process.stop()
