"""What starts one instance of an app: bubblewrap on a socket of ours, or a hardened Docker container."""

import asyncio
import contextlib
import fcntl
import os
import socket
import zlib
from collections import deque
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

import httpx

from adapters.sandbox.bubblewrap import BubblewrapSandbox
from adapters.sandbox.programs import end
from core.errors import OutsideError

START_SECONDS = 20
LOG_LINES = 200
BODY_BYTES = 65_536
ASK_SECONDS = 5


class Instance(Protocol):
    """One running app. `upstream` is what Caddy dials: 'ip:port' or 'unix//path'."""

    upstream: str

    async def alive(self) -> bool:
        """Say whether its process still runs."""
        ...

    async def logs(self) -> str:
        """Return the last lines it printed."""
        ...

    async def sleep(self) -> None:
        """Use no processor until somebody asks whether it is alive."""
        ...

    async def stop(self) -> None:
        """End it; safe to call twice."""
        ...


@dataclass(frozen=True)
class Home:
    """The folders of one app: its versions side by side, what was built of them, and what it stores."""

    folder: Path

    @property
    def data(self) -> Path:
        """The one folder that the app may write."""
        return self.folder / "data"

    def app(self, version: str) -> Path:
        """Return the files of a version."""
        return self.folder / "app" / version

    def web(self, version: str) -> Path:
        """Return the front end that was built of a version; it exists only where there is one."""
        return self.folder / "web" / version

    def make(self) -> None:
        """Make the folders."""
        for name in ("app", "web", "data"):
            (self.folder / name).mkdir(parents=True, exist_ok=True)


class Runtime(Protocol):
    """Starts instances."""

    name: str

    async def settle(self, home: Home) -> None:
        """Make a home's folders; call it before anything is written there, it may bring a warm sandbox along."""
        ...

    async def build(self, app: Path, web: Path) -> None:
        """
        Build the front end of the folder `app` into the empty folder `web`.

        Raises:
            OutsideError: it cannot be built; says what the builder said.
        """
        ...

    async def start(self, home: Home, version: str, argv: list[str]) -> Instance:
        """
        Start `argv` (a command of uvicorn without where to listen, or of Node, which is told by PORT) over a version of the app, beside those that run.

        The app may write its data folder, and finds a front end that was built by WEB_DIST.

        Raises:
            OutsideError: it does not start, or the runtime itself does not work.
        """
        ...

    async def close(self) -> None:
        """Give back what is held ready."""
        ...


@dataclass(frozen=True)
class Answer:
    """What the app answered to the health request; status 0 when it did not."""

    status: int
    body: bytes = b""
    problem: str = ""


async def ask(upstream: str, path: str) -> Answer:
    """Send one GET to an instance; redirects are followed on the same instance only."""
    unix = upstream.removeprefix("unix/") if upstream.startswith("unix/") else None
    transport = httpx.AsyncHTTPTransport(uds=unix) if unix else httpx.AsyncHTTPTransport()
    base = "http://app" if unix else f"http://{upstream}"
    headers = {"accept-encoding": "identity"}
    try:
        async with (
            asyncio.timeout(ASK_SECONDS),
            httpx.AsyncClient(
                transport=transport, base_url=base, timeout=ASK_SECONDS, trust_env=False, headers=headers
            ) as client,
        ):
            for _ in range(4):
                answer, target = await _get(client, path)
                if not target.startswith("/") or target.startswith("//"):
                    break
                path = target
            return answer
    except (httpx.HTTPError, OSError, TimeoutError) as error:
        return Answer(0, problem=type(error).__name__)


async def _get(client: httpx.AsyncClient, path: str) -> tuple[Answer, str]:
    """Return an answer, read no further than BODY_BYTES, and where it redirects to."""
    body = bytearray()
    async with client.stream("GET", path) as response:
        async for chunk in response.aiter_raw():
            body += chunk
            if len(body) >= BODY_BYTES:
                break
        target = response.headers.get("location", "") if response.is_redirect else ""
        return Answer(response.status_code, bytes(body[:BODY_BYTES])), target


async def ready(instance: Instance, path: str, seconds: float = START_SECONDS) -> Answer:
    """Wait until the instance answers, ends, or the time is up."""
    answer = Answer(0, problem="it did not start")
    with contextlib.suppress(TimeoutError):
        async with asyncio.timeout(seconds):
            while await instance.alive():
                answer = await ask(instance.upstream, path)
                if answer.status:
                    return answer
                await asyncio.sleep(0.03)
            return Answer(0, problem="its process ended")
    return Answer(0, problem=f"no answer within {seconds:.0f} s") if not answer.status else answer


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
    """Starts apps in bubblewrap. `sockets` is a short path: a socket's name has room for 107 bytes."""

    name = "bubblewrap"

    def __init__(self, sandbox: BubblewrapSandbox, sockets: Path) -> None:
        self._sandbox, self._sockets = sandbox, sockets
        self._count = 0

    async def settle(self, home: Home) -> None:
        """Make the folders."""
        home.make()

    async def close(self) -> None:
        """Nothing is held ready."""

    async def build(self, app: Path, web: Path) -> None:
        """There is no Node in this sandbox."""
        raise OutsideError("this app needs Node to be built, which bubblewrap's sandbox does not have; use Docker")

    async def start(self, home: Home, version: str, argv: list[str]) -> BubblewrapInstance:
        """Start an app on a fresh socket; each data folder has a uid of its own where the bot may choose."""
        if argv[0] == "node":
            raise OutsideError("this app needs Node, which bubblewrap's sandbox does not have; use Docker")
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
            command = self._sandbox.command(
                app, [*argv, "--fd", str(number), "--no-access-log"], {"DATA_DIR": "/data"}, data=data, uid=uid
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
