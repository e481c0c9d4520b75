"""A Docker engine of the test's own, in a network of its own, which can be ended and started again like a machine's."""

import contextlib
import os
import shutil
import subprocess
import tempfile
import time
import uuid
from collections.abc import Iterator
from pathlib import Path

from adapters.sandbox.docker import image_tag
from tests.needs import missing

SECONDS = 60


class Engine:
    """The engine in `folder`, whose processes live in the network namespace `network`."""

    def __init__(self, folder: Path, network: str) -> None:
        self.network, self.address = network, f"unix://{folder}/docker.sock"
        self._folder = folder
        self._process: subprocess.Popen[bytes] | None = None

    def command(self, *argv: str) -> list[str]:
        """Return a command that runs beside the engine."""
        # `ip netns exec` would hide the control groups, which the engine needs.
        return ["nsenter", f"--net=/run/netns/{self.network}", *argv]

    def start(self) -> None:
        """Start it, and wait until it answers."""
        for left in ("docker.sock", "docker.pid"):
            (self._folder / left).unlink(missing_ok=True)
        places = [f"--{name}={self._folder / name}" for name in ("data-root", "exec-root", "pidfile")]
        with (self._folder / "log").open("ab") as log:
            self._process = subprocess.Popen(
                self.command("dockerd", "-H", self.address, *places), stdout=log, stderr=log, start_new_session=True
            )
        deadline = time.monotonic() + SECONDS
        while subprocess.run(["docker", "-H", self.address, "version"], capture_output=True).returncode:
            assert time.monotonic() < deadline, (self._folder / "log").read_text()[-2_000:]
            time.sleep(0.2)

    def end(self) -> None:
        """End it, and with it every container."""
        if self._process is not None:
            self._process.terminate()
            self._process.wait(SECONDS)
            self._process = None

    def load_image(self) -> None:
        """Give it the sandbox's image."""
        saving = subprocess.Popen(["docker", "save", image_tag()], stdout=subprocess.PIPE)
        subprocess.run(["docker", "-H", self.address, "load"], stdin=saving.stdout, check=True, capture_output=True)
        assert saving.wait() == 0


@contextlib.contextmanager
def own_engine() -> Iterator[Engine]:
    """Run an engine with the sandbox's image."""
    if os.geteuid() != 0 or shutil.which("dockerd") is None or shutil.which("ip") is None:
        missing("an engine of its own", "root, docker.io and iproute2")
    folder, network = Path(tempfile.mkdtemp(prefix="tw-engine-")), f"tw{uuid.uuid4().hex[:8]}"
    engine = Engine(folder, network)
    subprocess.run(["ip", "netns", "add", network], check=True)
    try:
        subprocess.run(engine.command("ip", "link", "set", "lo", "up"), check=True)
        engine.start()
        engine.load_image()
        yield engine
    finally:
        engine.end()
        subprocess.run(["ip", "netns", "delete", network], check=False)
        subprocess.run(["umount", "--lazy", *map(str, folder.glob("data-root/overlay2/*/merged"))], capture_output=True)
        shutil.rmtree(folder, ignore_errors=True)
