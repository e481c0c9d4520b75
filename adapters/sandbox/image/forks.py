"""
The fork server in every preview container: the libraries are loaded once, and each version of the app is a fork.

A new version is up in a tenth of a second, on a port of its own, while the old one goes on serving. The bot sends one
order per connection, one line of JSON, and gets one back: {"load": folder, "arguments": […], "port": …, "env": {…}, "node":
whether to start Node instead} or {"drop": port}. Whoever lives in the container can send orders too: it is all one app.
"""

import contextlib
import gc
import importlib
import json
import os
import select
import signal
import socket
import sys
import time
import traceback
from typing import Any

CONTROL_PORT = 9000
ANY = "0.0.0.0"  # noqa: S104 - in the network of previews, where only the host may come in
LOAD_SECONDS, END_SECONDS = 20.0, 1.0
LIBRARIES = (
    "asyncio", "sqlite3", "fastapi", "fastapi.staticfiles", "fastapi.templating", "uvicorn", "uvicorn.main",
    "uvicorn.loops.uvloop", "uvicorn.protocols.http.httptools_impl", "uvicorn.lifespan.on", "sqlalchemy.orm",
    "sqlalchemy.dialects.sqlite", "httpx", "jinja2", "python_multipart",
)  # fmt: skip
running: dict[int, int] = {}
ending: dict[int, float] = {}
"""Process by port; and those that were told to end, with the time at which they are made to."""


def load(order: dict[str, Any], control: socket.socket) -> dict[str, str]:
    """Fork a version, and wait until it listens, ends, or the time is up."""
    port = int(order["port"])
    if port in running:
        drop(port)
    heard, said = os.pipe()
    number = os.fork()
    if number == 0:
        control.close()
        os.close(heard)
        become(order, said)
    os.close(said)
    running[port] = number
    if order.get("node"):
        os.close(heard)
        ended, listens = answers(port, number)
    else:
        ready, _, _ = select.select([heard], [], [], LOAD_SECONDS)
        ended, listens = bool(ready), bool(ready) and os.read(heard, 2) == b"ok"
        os.close(heard)
    if listens:
        return {"problem": ""}
    drop(port)
    return {"problem": "its process ended" if ended else f"no answer within {LOAD_SECONDS:.0f} s"}


def answers(port: int, number: int) -> tuple[bool, bool]:
    """Wait for a process that does not report by itself; return whether it ended, and whether it listens."""
    deadline = time.monotonic() + LOAD_SECONDS
    while time.monotonic() < deadline:
        if os.waitid(os.P_PID, number, os.WEXITED | os.WNOHANG | os.WNOWAIT) is not None:
            return True, False
        with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", port), 1):
            return False, True
        time.sleep(0.02)
    return False, False


def become(order: dict[str, Any], said: int) -> None:
    """Be the app; never returns."""
    try:
        signal.signal(signal.SIGTERM, signal.SIG_DFL)
        os.chdir(order["load"])
        os.environ.update(order["env"])
        if order.get("node"):
            os.environ.update({"PORT": str(order["port"]), "HOST": ANY, "NODE_ENV": "production"} | order["env"])
            follows = ["--import", "/opt/sandbox/live_pages.mjs"] if "LIVE_MARK" in order["env"] else []
            os.execvp("node", ["node", *follows, *order["arguments"]])  # noqa: S606 - what the container is for
        sys.path.append(os.path.join(order["load"], ".packages"))
        importlib.invalidate_caches()
        import live_pages  # type: ignore[import-not-found] # beside this file, in the container
        import uvicorn

        live_pages.install()
        starting = uvicorn.Server.startup

        async def startup(self: uvicorn.Server, sockets: list[socket.socket] | None = None) -> None:
            await starting(self, sockets=sockets)
            if self.started:
                os.write(said, b"ok")

        uvicorn.Server.startup = startup  # type: ignore[method-assign]
        listening = ["--host", ANY, "--port", str(order["port"]), "--no-access-log"]
        uvicorn.main([*order["arguments"], *listening], standalone_mode=False)
    except BaseException:  # noqa: BLE001 - this process ends here, whatever the app raised
        traceback.print_exc()
    finally:
        sys.stdout.flush()
        sys.stderr.flush()
        os._exit(1)


def drop(port: int) -> dict[str, str]:
    """End a version politely; `reap` sees to it that it ends."""
    if number := running.pop(port, 0):
        with contextlib.suppress(ProcessLookupError):
            os.kill(number, signal.SIGTERM)
        ending[number] = time.monotonic() + END_SECONDS
    return {"problem": ""}


def reap() -> None:
    """Take leave of versions that have ended, and end those that do not by themselves."""
    for number, deadline in list(ending.items()):
        gone = True
        with contextlib.suppress(ChildProcessError):
            gone = os.waitpid(number, os.WNOHANG)[0] != 0
        if gone:
            del ending[number]
        elif time.monotonic() > deadline:
            os.kill(number, signal.SIGKILL)


def serve(control: socket.socket) -> None:
    """Take orders for ever."""
    control.settimeout(1.0)
    while True:
        reap()
        try:
            connection, _ = control.accept()
        except TimeoutError:
            continue
        with connection, contextlib.suppress(OSError, ValueError, KeyError):
            connection.settimeout(5)
            order = json.loads(connection.makefile("rb").readline(100_000))
            answer = load(order, control) if "load" in order else drop(int(order["drop"]))
            connection.sendall(json.dumps(answer).encode() + b"\n")


if __name__ == "__main__":
    sys.dont_write_bytecode = True
    for name in LIBRARIES:
        try:
            importlib.import_module(name)
        except Exception as error:  # noqa: BLE001 - a base image may lack one; the app then loads it itself, or says so
            print("not loaded:", name, error, flush=True)
    gc.collect()
    gc.freeze()
    serve(socket.create_server((ANY, CONTROL_PORT)))
