"""The local chat: a page that is a thread, on the same inbox, transcript and commands as every platform."""

import asyncio
import contextlib
import json
import uuid
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Annotated, Any, Literal

from fastapi import Depends, FastAPI, HTTPException, Query, Request, Response
from fastapi.responses import FileResponse, HTMLResponse, RedirectResponse, StreamingResponse
from fastapi.staticfiles import StaticFiles
from fastapi.templating import Jinja2Templates
from pydantic import AfterValidator, BaseModel, ConfigDict, Field, StringConstraints
from starlette.middleware.base import RequestResponseEndpoint

from adapters.preview.host import PAST
from bot.app import App
from bot.gate.previews import is_commit
from bot.settings import Settings
from core.chat import Event
from core.errors import BotError, OutsideError, UserError
from core.messages import TurnResult
from core.sessions import Author, Session, ThreadKey
from core.starters import STARTERS, wish_of
from core.thread.commands import COMMANDS
from core.thread.transcript import Message

SLACK_EVENTS, TLS = "/slack/events", "/tls"
"""What is not for browsers: Slack's requests, which come from everywhere, and a proxy's question whether to make a certificate."""
HERE = Path(__file__).parent
YOU = Author("local", "you")
KEEP_ALIVE_SECONDS = 15
MAX_BODY_BYTES = 4_000_000
MAX_NUMBER = 2**53
Id = Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9-]{8,64}$")]


class Said(BaseModel):
    """A message of a person; `id` makes sending it again harmless."""

    model_config = ConfigDict(extra="forbid")
    id: Id
    text: str


class Begun(BaseModel):
    """What a thread begins with: words, or a form that was filled in."""

    model_config = ConfigDict(extra="forbid")
    id: Id
    text: str = ""
    form: dict[Literal["title", "lists", "looks"], str] = {}


REACTIONS = frozenset(command.emoji for command in COMMANDS.values() if command.emoji) | {"👍", "👎"}


def _known(emoji: str) -> str:
    if emoji not in REACTIONS:
        raise ValueError("that is not a reaction of this chat")
    return emoji


class Reacted(BaseModel):
    """A reaction put on a message, or taken away."""

    model_config = ConfigDict(extra="forbid")
    id: Id
    message_id: Annotated[int, Field(ge=0, le=MAX_NUMBER)]
    emoji: Annotated[str, AfterValidator(_known)]
    added: bool


def thread_key(name: str) -> ThreadKey:
    """Return the key of a thread of the local chat or the command line."""
    return ThreadKey("local", "local", "local", name)


async def _addresses(settings: Settings) -> set[str]:
    """Return the addresses of the proxies that may ask for certificates."""
    found = set[str]()
    for name in settings.listed("tls_from"):
        with contextlib.suppress(OSError):
            places = await asyncio.get_running_loop().getaddrinfo(name, None)
            found |= {str(place[4][0]) for place in places}
    return found


async def _has(app: App, session: Session, commit: str) -> bool:
    try:
        await app.repository.show(session.id, commit)
    except UserError:
        return False
    return True


def web_app(app: App) -> FastAPI:
    """Return the pages of the bot."""
    pages = Jinja2Templates(HERE / "templates")
    web = FastAPI(title="Threadwright", docs_url=None, redoc_url=None, openapi_url=None)
    web.mount("/static", StaticFiles(directory=HERE / "static"), name="static")
    names = ("127.0.0.1", "localhost", "[::1]", app.settings.host)
    allowed = {*(f"{name}:{app.settings.port}" for name in names), *app.settings.web_hosts.split(",")}

    @web.middleware("http")
    async def guard(request: Request, call_next: RequestResponseEndpoint) -> Response:
        """Keep other sites out: pages of previews run in the same browser."""
        if request.url.path == SLACK_EVENTS:
            return await call_next(request)
        host, origin = request.headers.get("host", ""), request.headers.get("origin")
        if host not in allowed:
            return Response("This host is not served here.", 421)
        if request.method != "GET" and (origin is None or origin.partition("://")[2] != host):
            return Response("Requests of other sites are refused.", 403)
        if request.method != "GET" and not request.headers.get("content-length", "").isdigit():
            return Response("The length of the message is missing.", 411)
        if int(request.headers.get("content-length") or 0) > MAX_BODY_BYTES:
            return Response("The message is too large.", 413)
        response = await call_next(request)
        response.headers["X-Frame-Options"] = "DENY"
        response.headers["X-Content-Type-Options"] = "nosniff"
        response.headers["Referrer-Policy"] = "no-referrer"
        response.headers["Content-Security-Policy"] = (
            "default-src 'self'; style-src 'self' 'unsafe-inline'; img-src 'self' data:"
        )
        return response

    @web.exception_handler(BotError)
    async def show_error(request: Request, error: BotError) -> Response:
        code = 503 if isinstance(error, OutsideError) else 404
        return pages.TemplateResponse(request, "error.html", {"text": str(error)}, status_code=code)

    async def session_of(slug: str) -> Session:
        return await app.sessions.by_slug(slug)

    Here = Annotated[Session, Depends(session_of)]  # noqa: N806 - a type

    def rendered(message: Message, session: Session) -> dict[str, Any]:
        text = pages.get_template("message.html").render(message=message, session=session, commands=COMMANDS.values())
        return {
            "id": message.id,
            "kind": message.kind,
            "changed": message.changed,
            "html": text,
            "empty": not any(not getattr(block, "over", False) for block in message.doc.blocks),
        }

    @web.get("/healthz")
    async def health() -> dict[str, Any]:
        """Say what works; the bot is alive as long as this answers, so that is what the code says."""
        await app.sessions.list()
        chats = {name: await port.problem() for name, port in app.platforms.items()} | app.lost
        state = "degraded" if any(chats.values()) else "ok"
        return {"state": state, "model": app.model.name, "chats": {name: why or "ok" for name, why in chats.items()}}

    @web.post(SLACK_EVENTS)
    async def slack_events(request: Request) -> Response:
        """Take Slack's events, commands and interactions; bolt checks signature and age."""
        port: Any = app.platforms.get("slack")
        if port is None or not port.takes_requests:
            raise HTTPException(404)
        answer: Response = await port.take(request)
        return answer

    @web.get(TLS)
    async def may_have_a_certificate(domain: str, request: Request) -> Response:
        """Answer a proxy that makes certificates on demand, and nobody else: only for previews that there are."""
        peer = request.client.host if request.client else ""
        if {"x-forwarded-for", "forwarded"} & set(request.headers) or peer not in await _addresses(app.settings):
            return Response("Only the proxy of the previews is answered.\n", 403)
        name = domain.casefold().removesuffix(f".{app.settings.preview_zone}")
        slug, past, commit = name.partition(PAST)
        session = await app.sessions.of_slug(slug) if name != domain.casefold() else None
        known = session is not None and (not past or (is_commit(commit) and await _has(app, session, commit)))
        return Response("yes\n" if known else "There is no such preview.\n", 200 if known else 404)

    @web.get("/", response_class=HTMLResponse)
    async def start(request: Request) -> Response:
        context = {"threads": await app.sessions.list(), "starters": STARTERS, "session": None, "model": app.model.name}
        return pages.TemplateResponse(request, "chat.html", context)

    @web.post("/threads")
    async def begin(said: Begun) -> dict[str, str]:
        text = said.text or wish_of({str(name): value for name, value in said.form.items()})
        accepted = await app.intake.accept(Event(said.id, thread_key(f"web-{said.id}"), YOU, text=text))
        assert accepted.session is not None
        return {"url": f"/t/{accepted.session.slug}"}

    @web.get("/t/{slug}", response_class=HTMLResponse)
    async def thread(request: Request, session: Here) -> Response:
        shown = [rendered(one, session) for one in await app.messages.since(session.id)]
        context = {
            "threads": await app.sessions.list(), "session": session, "model": app.model.name,
            "messages": [one for one in shown if not one["empty"]], "changed": max([0, *(one["changed"] for one in shown)]),
        }  # fmt: skip
        return pages.TemplateResponse(request, "chat.html", context)

    @web.post("/t/{slug}/messages")
    async def say(said: Said, session: Here) -> dict[str, str]:
        accepted = await app.intake.accept(Event(said.id, session.key, YOU, text=said.text, link=f"/t/{session.slug}"))
        return {"turn": accepted.turn_id}

    @web.post("/t/{slug}/reactions")
    async def react(reacted: Reacted, session: Here) -> dict[str, str]:
        kind: Literal["reaction_added", "reaction_removed"] = "reaction_added" if reacted.added else "reaction_removed"
        event = Event(
            reacted.id, session.key, YOU, kind, message_id=reacted.message_id, emoji=reacted.emoji, removable=True
        )
        accepted = await app.intake.accept(event)
        return {"turn": accepted.turn_id}

    @web.get("/t/{slug}/events")
    async def events(session: Here, after: Annotated[int, Query(ge=0, le=MAX_NUMBER)] = 0) -> StreamingResponse:
        async def stream() -> AsyncIterator[str]:
            latest = after
            async with app.board.listening(session.id) as news:
                while True:
                    for message in await app.messages.since(session.id, latest):
                        latest = max(latest, message.changed)
                        yield f"data: {json.dumps(rendered(message, session))}\n\n"
                    try:
                        async with asyncio.timeout(KEEP_ALIVE_SECONDS):
                            await news.wait()
                        news.clear()
                    except TimeoutError:
                        yield ": still here\n\n"

        return StreamingResponse(stream(), media_type="text/event-stream", headers={"Cache-Control": "no-store"})

    @web.get("/t/{slug}/commits/{commit}", response_class=HTMLResponse)
    async def evidence(request: Request, session: Here, commit: str) -> Response:
        found, diff = await app.repository.show(session.id, commit)
        result: TurnResult | None = await app.turns.result_in(session.id, found.turn_id)
        before = app.preview_link(session.slug, found.parents[0]) if found.parents else ""
        after = app.preview_link(session.slug, found.id)
        context = {
            "session": session,
            "commit": found,
            "diff": diff,
            "result": result,
            "before": before,
            "after": after,
        }
        return pages.TemplateResponse(request, "commit.html", context)

    @web.get("/t/{slug}/preview")
    async def preview(session: Here) -> RedirectResponse:
        """Lead to the preview by a fresh link: those in the messages expire."""
        return RedirectResponse(app.preview_link(session.slug), 302)

    @web.get("/t/{slug}/export.zip")
    async def export(session: Here) -> Response:
        head = await app.repository.head(session.id)
        if head is None:
            raise UserError("There is no app in this thread yet.")
        headers = {"Content-Disposition": f"attachment; filename={session.slug}.zip"}
        return Response(await app.repository.archive(session.id, head), media_type="application/zip", headers=headers)

    @web.get("/shots/{name}")
    async def shot(name: str) -> FileResponse:
        path = app.settings.data_dir.resolve() / "shots" / name
        if "/" in name or not path.is_file() or path.suffix != ".png":
            raise HTTPException(404)
        return FileResponse(path, headers={"Cache-Control": "max-age=31536000, immutable"})

    return web


def event_id() -> str:
    """Return a fresh id for an event that has none."""
    return f"cli-{uuid.uuid4().hex}"
