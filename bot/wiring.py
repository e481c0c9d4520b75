"""The composition root: opens every adapter, builds the turn, closes in reverse."""

import asyncio
import contextlib
import fcntl
import hashlib
import logging
import os
import platform
import secrets
import socket
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import AsyncExitStack
from functools import partial
from pathlib import Path

import uvicorn

from adapters.checks.suite import CheckSuite, all_checks
from adapters.dependencies.install import Packages
from adapters.dependencies.registry import Registries
from adapters.documents import Documents
from adapters.engine.dbos import DbosEngine
from adapters.host.folders import remove, run_folder, sweep
from adapters.llm.builtin import BuiltinModel
from adapters.llm.builtin.render import LOCK, render
from adapters.llm.openai_compatible import OpenAICompatibleModel, Prices
from adapters.llm.profiles import PROFILES, ProviderProfile
from adapters.memory.text import TextMemory
from adapters.preview.caddy import listening, reachable, running_caddy
from adapters.preview.containers import DockerRuntime
from adapters.preview.disks import DATA_BYTES, why_no_disks
from adapters.preview.host import Previews
from adapters.preview.runtime import BubblewrapRuntime, Runtime
from adapters.preview.screenshot import Browser, find_browser
from adapters.sandbox.bubblewrap import BubblewrapSandbox
from adapters.sandbox.builds import Builds
from adapters.sandbox.docker import DockerSandbox, image_tag, offered_runtimes, open_client, runtime_of
from adapters.sandbox.parsing import tried_apart
from adapters.store.database import Database, make_engine
from adapters.store.migrate import upgrade
from adapters.store.threads import ThreadRows
from adapters.store.turns import Turns
from adapters.vfs.git import GitRepository
from bot.app import App, link_to
from bot.enclosures import Enclosures
from bot.gate.previews import Gate, Signer
from bot.progress import ProgressBoard
from bot.queries import Queries
from bot.settings import Settings
from bot.talk import Talk
from bot.troubles import LOOK_SECONDS as TROUBLES_LOOK_SECONDS
from bot.troubles import Troubles
from bot.turns import TurnRunner
from bot.watchdog import frozen_before
from bot.web.server import running
from core.chat import ChatPort
from core.clock import SYSTEM
from core.errors import OutsideError, UserError
from core.llm.chat import LanguageModel
from core.llm.metered import Budget
from core.messages import Attachment
from core.ports import Frontend
from core.thread.access import StartRules
from core.thread.intake import Intake
from core.turn import TurnPorts

log = logging.getLogger(__name__)
IDLE_LOOK_SECONDS, WEIGH_LOOK_SECONDS, CATCH_UP_SECONDS = 60, 2, 60
SECRET_BYTES, MAX_TRACE = 32, 4_000


@contextlib.asynccontextmanager
async def opened(settings: Settings, *, previews: bool = True, any_port: bool = False) -> AsyncIterator[App]:
    """
    Open everything; turns that were running when the last process died go on at once.

    `any_port` lets the previews have another port than the settings say when that is taken, for as long as one command runs.

    Raises:
        UserError: another process has the data directory, or a setting cannot be right.
        OutsideError: the database cannot be opened.
    """
    folder = settings.data_dir.resolve()
    async with AsyncExitStack() as stack:
        stack.enter_context(_only_process(folder))
        stack.enter_context(tried_apart())
        await upgrade(settings.store_url)
        database = Database(make_engine(settings.store_url), settings.store_url)
        stack.push_async_callback(database.close)
        engine = DbosEngine(database, Turns(database))
        threads = ThreadRows(database, engine)
        sessions, turns, messages = threads.sessions, threads.turns, threads.messages
        repository = GitRepository(database, _made(folder / "git"), render)
        board = ProgressBoard(database, messages, sessions)
        model = await stack.enter_async_context(_model(settings))
        sandbox, runtime, why_none = await _sandbox(settings, folder, stack)
        signer = Signer(_secret(folder / "secret"), settings.preview_link_hours * 3600)
        program = (
            None if settings.browser == "none" else find_browser() if settings.browser == "auto" else settings.browser
        )
        listener = stack.enter_context(_preview_listener(settings, any_port)) if previews else None
        browser = None
        if program and listener is not None:
            browser = Browser(program, listener.getsockname()[1], reachable(settings.preview_bind))
        link = partial(link_to, signer, settings)
        packages = _packages(settings, folder, sandbox)
        builds = Builds(folder / "builds", sandbox) if isinstance(sandbox, DockerSandbox) else None
        host = Previews(
            _made(folder / "previews"), folder / "shots", runtime, why_none, link, browser, settings.preview_running,
            packages, builds,
        )  # fmt: skip
        stack.push_async_callback(host.close)
        suite = CheckSuite(
            all_checks(folder / "cache", sandbox, why_none, packages, builds),
            database,
            _made(folder / "scratch"),
            sandbox,
        )
        memory = TextMemory(database)
        budget = Budget(settings.budget_tokens, settings.budget_usd, settings.budget_calls, settings.model_context)
        frontends: tuple[Frontend, ...] = ("html", "react") if sandbox and sandbox.name == "docker" else ("html",)
        platforms: dict[str, ChatPort] = {}

        async def fetch(attachment: Attachment) -> bytes:
            port = platforms.get(attachment.ref.partition(":")[0])
            if port is None:
                raise OutsideError("the platform that it came from is not connected", retryable=True)
            return await port.fetch(attachment)

        ports = TurnPorts(
            model, repository, suite, host, memory, lambda _: None, budget, frontends, Talk(messages, sessions, platforms), fetch, threads.waivers,
            Documents(folder / "scratch" / "documents").text, (LOCK,),
        )  # fmt: skip
        tokens = {"slack": settings.slack_bot_token, "discord": settings.discord_token}
        caught_up = {name: asyncio.Event() for name, token in tokens.items() if token.get_secret_value()}

        async def present(platform: str) -> None:
            """A message that was taken back while the bot was away must not be acted on."""
            with contextlib.suppress(TimeoutError):
                if platform in caught_up:
                    async with asyncio.timeout(CATCH_UP_SECONDS):
                        await caught_up[platform].wait()

        queries = Queries(turns, repository, suite, host, link)
        runner = TurnRunner(threads, repository, board, ports, queries.look, present)
        rules = StartRules(settings.listed("chat_channels"), settings.listed("chat_people"))
        intake = Intake(threads, rules, queries.look, board.changed)
        enclosures = Enclosures(repository, folder / "shots", browser)
        app = App(
            settings=settings, database=database, sessions=sessions, turns=turns, messages=messages, repository=repository,
            threads=threads, intake=intake, board=board, previews=host, signer=signer, model=model,
            sandbox=sandbox.name if sandbox else "", checks=suite, enclosures=enclosures, platforms=platforms,
            caught_up=caught_up, lost={}, ports=ports,
        )  # fmt: skip
        if listener is not None:
            await stack.enter_async_context(_proxied(app, stack, listener))
        stack.push_async_callback(_ended, asyncio.create_task(board.write_forever()))
        _keep_doing(stack, "rest", IDLE_LOOK_SECONDS, host.rest)
        _keep_doing(stack, "weigh", WEIGH_LOOK_SECONDS, host.weigh)
        troubles = Troubles(database, sessions, messages, host, board, mends=not isinstance(model, BuiltinModel))
        _keep_doing(stack, "troubles", TROUBLES_LOOK_SECONDS, troubles.look)
        if where := frozen_before(folder):
            log.error("bot_was_frozen", extra={"where": where[-MAX_TRACE:]})
            await turns.froze()
        await stack.enter_async_context(engine.opened(runner.run))
        _keep_doing(stack, "reconcile", IDLE_LOOK_SECONDS, partial(runner.reconcile, engine.ended))
        _keep_doing(stack, "lapse", IDLE_LOOK_SECONDS, partial(_lapse, intake))
        yield app


async def _lapse(intake: Intake) -> None:
    await intake.lapse(SYSTEM.now())


@contextlib.contextmanager
def _preview_listener(settings: Settings, any_port: bool) -> Iterator[socket.socket]:
    """Hold the port of the previews."""
    try:
        listener = listening(settings.preview_bind, settings.preview_port)
    except OutsideError:
        if not any_port:
            raise
        listener = listening(settings.preview_bind, 0)
    with listener:
        yield listener


@contextlib.contextmanager
def _only_process(folder: Path) -> Iterator[None]:
    """Hold the data directory's lock: two processes on one directory would run each turn twice."""
    try:
        folder.mkdir(parents=True, exist_ok=True)
        lock = open(folder / "lock", "a+", encoding="ascii")  # noqa: SIM115 - closed below
    except OSError as error:
        raise UserError(f"The data directory {folder} cannot be used: {error.strerror}.") from error
    with lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError as error:
            raise UserError(
                f"Another process already uses the data directory {folder}. Stop it first, or name another with --data-dir."
            ) from error
        remove(folder / "scratch")
        sweep(folder)
        yield


def _made(folder: Path) -> Path:
    folder.mkdir(parents=True, exist_ok=True)
    return folder


def _secret(path: Path) -> bytes:
    """Return the secret that signs preview links; made once."""
    if not path.exists():
        fresh = path.with_suffix(".new")
        fresh.unlink(missing_ok=True)
        handle = os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        with os.fdopen(handle, "wb") as file:
            file.write(secrets.token_bytes(SECRET_BYTES))
            file.flush()
            os.fsync(file.fileno())
        os.replace(fresh, path)
    secret = path.read_bytes()
    if len(secret) != SECRET_BYTES:
        raise UserError(f"{path} is damaged. Delete it and start again; links given out before stop working.")
    return secret


@contextlib.asynccontextmanager
async def _model(settings: Settings) -> AsyncIterator[LanguageModel]:
    """Open the model that the settings name: an endpoint of your own, a provider's key, or the built-in builder."""
    prices = Prices(settings.model_input_usd, settings.model_output_usd)
    found = settings.provider()
    if settings.model_base_url:
        profile = ProviderProfile("the model", settings.model_base_url.rstrip("/"), settings.model_name)
        key = settings.model_api_key.get_secret_value()
    elif found:
        profile, key = PROFILES[found[0]], found[1]
    else:
        yield BuiltinModel()
        return
    async with OpenAICompatibleModel(profile, key, settings.model_name, prices, settings.model_seconds) as model:
        yield model


async def _sandbox(
    settings: Settings, folder: Path, stack: AsyncExitStack
) -> tuple[DockerSandbox | BubblewrapSandbox | None, Runtime | None, str]:
    """Return where tests and previews run, and why nowhere."""
    problems = []
    owner = hashlib.sha256(str(folder).encode()).hexdigest()[:16]
    homes = _made(folder / "previews")
    if why := await asyncio.to_thread(why_no_disks, homes):
        log.info("storage_is_counted", extra={"why": why})
    disk_bytes = 0 if why else DATA_BYTES
    if settings.sandbox in ("auto", "docker"):
        try:
            client = open_client()
            stack.callback(client.close)
            engine = await asyncio.to_thread(lambda: runtime_of(client, offered_runtimes(client)))
            sandbox = DockerSandbox(client, _made(folder / "scratch"), owner, engine)
            if problem := await sandbox.problem():
                raise OutsideError(problem)
            runtime = DockerRuntime(client, owner, homes, settings.preview_pool, engine, disk_bytes)
            await asyncio.to_thread(runtime.prepare)
            runtime.fill()
            return sandbox, runtime, ""
        except OutsideError as error:
            problems.append(str(error))
    if settings.sandbox in ("auto", "bubblewrap"):
        box = BubblewrapSandbox(_made(folder / "scratch"))
        if not (problem := await box.problem()):
            sockets = run_folder("tw-", folder)
            stack.callback(remove, sockets)
            return box, BubblewrapRuntime(box, sockets, disk_bytes), ""
        problems.append(problem)
    if settings.sandbox == "none":
        problems.append("the setting THREADWRIGHT_SANDBOX is none")
    return None, None, "no sandbox: " + " ".join(problems)


def _packages(settings: Settings, folder: Path, sandbox: DockerSandbox | BubblewrapSandbox | None) -> Packages | None:
    """Let runs and previews have the packages that apps ask for, if there is a registry and a sandbox to install them in."""
    if sandbox is None or not (settings.pypi_url or settings.npm_url):
        return None
    registries = Registries(settings.pypi_url, settings.npm_url, settings.listed("registry_hosts"))
    docker = isinstance(sandbox, DockerSandbox)
    base = image_tag() if docker else f"python {platform.python_version()}"
    sandbox.packages = Packages(
        folder / "packages", registries, sandbox.install, base, settings.package_days, node=docker
    )
    return sandbox.packages


@contextlib.asynccontextmanager
async def _proxied(app: App, stack: AsyncExitStack, listener: socket.socket) -> AsyncIterator[None]:
    """Run the gate on a socket that only Caddy knows, and Caddy in front of the previews."""
    run = run_folder("tw-gate-", app.settings.data_dir.resolve())
    stack.callback(remove, run)
    secure = app.settings.preview_url.startswith("https://")
    gate = Gate(app.sessions, app.repository, app.previews, app.signer, app.settings.preview_zone, secure=secure)
    config = uvicorn.Config(
        gate.asgi, uds=str(run / "gate.sock"), log_level="warning", access_log=False, lifespan="off", interface="asgi3"
    )
    async with (
        running(config),
        running_caddy(run, run / "gate.sock", app.settings.preview_zone, listener, gate.nonce),
    ):
        _keep_doing(stack, "narrow", WEIGH_LOOK_SECONDS, gate.narrow)
        try:
            yield
        finally:
            # Pages that wait for a new version would hold the server up.
            gate.closing = True


def _keep_doing(stack: AsyncExitStack, name: str, seconds: float, work: Callable[[], Awaitable[object]]) -> None:
    """Do something every few seconds until the stack is closed."""
    stack.push_async_callback(_ended, asyncio.create_task(_repeat(name, seconds, work)))


async def _repeat(name: str, seconds: float, work: Callable[[], Awaitable[object]]) -> None:
    """Do something again and again; what goes wrong is logged, and does not end it."""
    while True:
        try:
            await work()
        except Exception:
            log.exception("background_failed", extra={"work": name})
        await asyncio.sleep(seconds)


async def _ended(task: asyncio.Task[None]) -> None:
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)
