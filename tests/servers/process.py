"""The bot in a process of its own, on free ports, driven over its sockets."""

import contextlib
import fcntl
import os
import random
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
import uuid
from collections.abc import Iterator, Mapping
from importlib.metadata import version
from pathlib import Path
from typing import Any

import httpx

ROOT = Path(__file__).parents[2]


def free_port() -> int:
    """Return a port that nothing listens on now, below those that the kernel gives to connections that go out."""
    while True:
        port = random.randrange(10_240, 32_000)
        with contextlib.suppress(OSError), socket.create_server(("127.0.0.1", port)):
            return port


LEARN = """
import asyncio, pathlib, sys, tempfile
from adapters.checks.material import Material
from adapters.checks.suite import WARMING
from adapters.checks.types import mypy_check
from core.files import FileTree
with tempfile.TemporaryDirectory() as folder:
    path = pathlib.Path(folder)
    (path / "main.py").write_text(WARMING)
    asyncio.run(mypy_check(pathlib.Path(sys.argv[1])).run(Material(FileTree({"main.py": WARMING.encode()}), path, None)))
"""


def seeded(data_dir: Path) -> Path:
    """Return a data directory; a new one has what mypy knows of the libraries: to learn it takes each bot six seconds."""
    if data_dir.exists():
        return data_dir
    known = Path(tempfile.gettempdir()) / f"threadwright-mypy-{os.getuid()}-{version('mypy')}"
    with open(f"{known}.lock", "w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not known.exists():
            fresh = known.with_suffix(".new")
            shutil.rmtree(fresh, ignore_errors=True)
            subprocess.run([sys.executable, "-c", LEARN, str(fresh)], cwd=ROOT, check=True, timeout=120)
            fresh.rename(known)
    shutil.copytree(known, data_dir / "cache" / "mypy")
    return data_dir


class BotProcess:
    """One `python -m bot serve`; `kill` is a kill -9, `start` may follow it."""

    def __init__(self, data_dir: Path, env: Mapping[str, str], port: int = 0) -> None:
        self.data_dir = data_dir
        self.port, self.preview_port = port or free_port(), free_port()
        self._env = {
            **{name: value for name, value in os.environ.items() if not name.startswith("THREADWRIGHT_")},
            "THREADWRIGHT_PORT": str(self.port), "THREADWRIGHT_PREVIEW_PORT": str(self.preview_port),
            "THREADWRIGHT_DATA_DIR": str(data_dir), "THREADWRIGHT_PYPI_URL": "", "THREADWRIGHT_NPM_URL": "", **env,
        }  # fmt: skip
        self.through: list[str] = []
        """A command that runs the bot, such as one that gives it a clock of its own."""
        self._process: subprocess.Popen[bytes] | None = None
        self.url = f"http://127.0.0.1:{self.port}"

    def start(self, seconds: float = 60) -> None:
        """Start it and wait until it answers."""
        seeded(self.data_dir)
        for _ in range(3):
            if self._started(seconds):
                return
            if "address already in use" not in self.log()[-2000:]:
                break
            # Another test took the port between our look and the proxy's start.
            self.preview_port = free_port()
            self._env["THREADWRIGHT_PREVIEW_PORT"] = str(self.preview_port)
        raise AssertionError(f"the bot did not start:\n{self.log()[-4000:]}")

    def _started(self, seconds: float) -> bool:
        with open(self.data_dir / "bot.log", "ab") as log:
            self._process = subprocess.Popen(
                [*self.through, sys.executable, "-m", "bot", "serve"], cwd=ROOT, env=self._env, stdout=log, stderr=log
            )
        deadline = time.monotonic() + seconds
        while time.monotonic() < deadline:
            with contextlib.suppress(httpx.HTTPError):
                if httpx.get(f"{self.url}/healthz", trust_env=False, timeout=5).status_code == 200:
                    return True
            if self._process.poll() is not None:
                break
            time.sleep(0.05)
        return False

    def set(self, name: str, value: str) -> None:
        """Change a setting for the next start."""
        self._env[name] = value

    def kill(self) -> None:
        """Kill it as a power cut would."""
        if self._process is not None:
            self._process.send_signal(signal.SIGKILL)
            self._process.wait()

    def stop(self) -> int:
        """Stop it in order and return its exit code."""
        if self._process is None:
            return 0
        self._process.send_signal(signal.SIGINT)
        try:
            return self._process.wait(20)
        except subprocess.TimeoutExpired:
            self._process.kill()
            raise

    def log(self) -> str:
        """Return what it printed."""
        return (self.data_dir / "bot.log").read_text(errors="replace")

    def post(self, path: str, body: Mapping[str, Any], timeout: float = 30) -> httpx.Response:
        """Send what the local chat's page would send."""
        return httpx.post(
            f"{self.url}{path}", json=dict(body), headers={"Origin": self.url}, trust_env=False, timeout=timeout
        )

    def begin(self, text: str) -> str:
        """Open a thread and return its path."""
        answer = self.post("/threads", {"id": str(uuid.uuid4()), "text": text})
        assert answer.status_code == 200, answer.text
        return str(answer.json()["url"])


@contextlib.contextmanager
def running_bot(data_dir: Path, **env: str) -> Iterator[BotProcess]:
    """Run the bot, and be sure that it is gone afterwards."""
    bot = BotProcess(data_dir, env)
    bot.start()
    try:
        yield bot
    finally:
        with contextlib.suppress(subprocess.TimeoutExpired):
            bot.stop()
