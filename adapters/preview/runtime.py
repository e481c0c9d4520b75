"""What starts one instance of an app: bubblewrap on a socket of ours, or a hardened Docker container."""

import asyncio
import fcntl
import os
import socket
import zlib
from collections import deque
from pathlib import Path
from typing import Protocol

from adapters.preview.removed import all_of, removed_bytes
from adapters.preview.versions import Home
from adapters.sandbox.bubblewrap import BubblewrapSandbox
from adapters.sandbox.docker import IMAGE_FOLDER
from adapters.sandbox.programs import end
from core.errors import OutsideError

START_SECONDS = 20
LOG_LINES = 200
LIVE_PAGES = (IMAGE_FOLDER / "live_pages.py").read_text(encoding="utf-8")
NO_NODE = "this app needs Node, which bubblewrap's sandbox does not have; use Docker"


class Instance(Protocol):
    """One running app. `upstream` is what Caddy dials: 'ip:port' or 'unix//path'."""

    upstream: str

    async def alive(self) -> bool:
        """Say whether its process still runs."""
        ...

    async def logs(self) -> str:
        """Return the last lines it printed."""
        ...

    async def unseen(self, data: Path) -> int:
        """Return the bytes of files in its data folder that it has removed and still has open."""
        ...

    async def sleep(self) -> None:
        """Use no processor until somebody asks whether it is alive."""
        ...

    async def stop(self) -> None:
        """End it; safe to call twice."""
        ...


class Runtime(Protocol):
    """Starts instances."""

    name: str

    async def settle(self, home: Home) -> None:
        """Make a home's folders; call it before anything is written there, it may bring a warm sandbox along."""
        ...

    async def develop(self, home: Home, *, serverless: bool) -> Instance:
        """
        Start Vite over the live folder of an app; an app that is `serverless` gets the content policy of built files.

        Raises:
            OutsideError: it does not start, or there is no Node here.
        """
        ...

    async def start(self, home: Home, version: str, argv: list[str], *, live: bool) -> Instance:
        """
        Start `argv` (a command of uvicorn without where to listen, or of Node, which is told by PORT) over a version of the app, beside those that run.

        The app may write its data folder, and finds a front end that was built by WEB_DIST. `live` says whether its pages follow
        new versions.

        Raises:
            OutsideError: it does not start, or the runtime itself does not work.
        """
        ...

    async def close(self) -> None:
        """Give back what is held ready."""
        ...


class BubblewrapInstance:
    """A uvicorn in bubblewrap that accepts on a socket which we made: it cannot put another one in its place."""

    def __init__(self, process: asyncio.subprocess.Process, listener: socket.socket, path: Path) -> None:
        self._process, self._listener, self._path = process, listener, path
        self.upstream = f"unix/{path}"
        self._lines: deque[str] = deque(maxlen=LOG_LINES)
        self._reading = asyncio.create_task(self._read())

    async def _read(self) -> None:
        stream = self._process.stdout
        assert stream is not None
        while chunk := await stream.read(8_192):
            self._lines.extend(chunk.decode("utf-8", "replace").splitlines())

    async def alive(self) -> bool:
        """Say whether its process still runs."""
        return self._process.returncode is None

    async def logs(self) -> str:
        """Return the last lines it printed."""
        await asyncio.sleep(0)
        return "\n".join(self._lines)

    async def unseen(self, data: Path) -> int:
        """Look at what its processes have open."""
        return await asyncio.to_thread(lambda: removed_bytes(str(data), all_of(self._process.pid)))

    async def sleep(self) -> None:
        """Do nothing: a process that nobody asks uses next to nothing."""

    async def stop(self) -> None:
        """End it."""
        self._reading.cancel()
        await asyncio.gather(self._reading, return_exceptions=True)
        await end(self._process)
        self._listener.close()
        self._path.unlink(missing_ok=True)


class BubblewrapRuntime:
    """
    Starts apps in bubblewrap. `sockets` is a short path: a socket's name has room for 107 bytes.

    `disk_bytes` is the size of the disk that each app gets for what it stores; with 0 it gets a folder.
    """

    name = "bubblewrap"

    def __init__(self, sandbox: BubblewrapSandbox, sockets: Path, disk_bytes: int = 0) -> None:
        self._sandbox, self._sockets, self._disk_bytes = sandbox, sockets, disk_bytes
        self._count = 0

    async def settle(self, home: Home) -> None:
        """Make the folders."""
        await asyncio.to_thread(home.make, self._disk_bytes)

    async def close(self) -> None:
        """Nothing is held ready."""

    async def develop(self, home: Home, *, serverless: bool) -> BubblewrapInstance:
        """There is no Node in this sandbox."""
        raise OutsideError(NO_NODE)

    async def start(self, home: Home, version: str, argv: list[str], *, live: bool) -> BubblewrapInstance:
        """Start an app on a fresh socket; each data folder has a uid of its own where the bot may choose."""
        if argv[0] == "node":
            raise OutsideError(NO_NODE)
        self._count += 1
        app, data = home.app(version), home.data
        uid = 61_000 + zlib.crc32(str(data).encode()) % 4_000
        if os.geteuid() == 0:
            give(data, uid)
        path = self._sockets / f"{self._count}.sock"
        path.unlink(missing_ok=True)
        listener = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        listener.bind(str(path))
        listener.listen(512)
        # Not one of the first ten: the shell that starts bubblewrap has use for one of those.
        number = fcntl.fcntl(listener.fileno(), fcntl.F_DUPFD_CLOEXEC, 10)
        try:
            environment = {"DATA_DIR": "/data", **({"LIVE_MARK": version} if live else {})}
            if argv[:3] == ["python", "-m", "uvicorn"]:
                argv = ["python", "-c", LIVE_PAGES, *argv[3:]]
            command = self._sandbox.command(
                app, [*argv, "--fd", str(number), "--no-access-log"], environment, data=data, uid=uid
            )
            process = await asyncio.create_subprocess_exec(
                *command, stdin=asyncio.subprocess.DEVNULL, stdout=asyncio.subprocess.PIPE,
                stderr=asyncio.subprocess.STDOUT, start_new_session=True, cwd="/", env={}, pass_fds=(number,),
            )  # fmt: skip
        except OSError as error:
            listener.close()
            raise OutsideError(f"The preview could not be started: {error.strerror}.") from error
        except BaseException:
            listener.close()
            raise
        finally:
            os.close(number)
        return BubblewrapInstance(process, listener, path)


def give(folder: Path, uid: int) -> None:
    """Make an empty data folder belong to `uid`; never touches what an app has put into it, which may be links."""
    handle = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW)
    try:
        if os.fstat(handle).st_uid != uid:
            os.fchown(handle, uid, uid)
    finally:
        os.close(handle)


def with_log(problem: str, logs: str) -> str:
    """Return what is wrong with an instance, and the last lines that it printed."""
    last = [line for line in logs.splitlines() if line.strip()][-6:]
    return problem + (": " + " | ".join(last)[-600:] if last else "")
