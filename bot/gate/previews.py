"""The preview gate: who may pass, and where to. Caddy asks it with every request, over a socket of its own."""

import asyncio
import base64
import hashlib
import hmac
import html
import logging
import secrets
from collections.abc import Awaitable, Callable, MutableMapping
from functools import partial
from typing import Any
from urllib.parse import parse_qsl, unquote, urlencode

from adapters.preview.host import PAST, Previews
from adapters.preview.hot import is_socket
from adapters.preview.live import PATH as LIVE
from adapters.preview.live import SCRIPT
from adapters.store.sessions import Sessions
from adapters.vfs.git import GitRepository
from bot.gate.receipts import receipt_page
from core.clock import SYSTEM, Clock
from core.errors import BotError, UserError
from core.manifests import manifest_of
from core.sessions import Session

log = logging.getLogger(__name__)
COOKIE = "tw_preview"
RECEIPT, COMMIT = f"{LIVE}receipt/", f"{LIVE}commit/"
"""Where a commit's receipt is shown, and what leads to the preview of a commit."""
LIVE_SECONDS, LIVE_LOOK_SECONDS = 25.0, 0.1
"""How long a page that waits for a new version is kept waiting, and how often is looked."""
WAITING_PAGE_SECONDS = 0.3
COMMIT_LETTERS = 10
"""How a commit is written in the name of its preview: each has one name, and so one home."""
MAX_TIME_DIGITS = 12
Message = MutableMapping[str, Any]


class Signer:
    """Signs links to previews; a link opens one preview until it expires."""

    def __init__(self, secret: bytes, seconds: int, clock: Clock = SYSTEM) -> None:
        self._secret, self._seconds, self._clock = secret, seconds, clock

    def token(self, slug: str) -> str:
        """Return a token for `slug`: when it was given out and when it expires, in Unix seconds, and a keyed hash over all."""
        issued = int(self._clock.now())
        times = f"{issued}.{issued + self._seconds}"
        return f"{times}.{self._mac(slug, times)}"

    def link(self, url: str, slug: str) -> str:
        """Return `url` with a token."""
        return f"{url}/?{COOKIE}={self.token(slug)}"

    def good(self, slug: str, token: str, since: float = 0.0) -> bool:
        """Say whether a token opens `slug` now; those given out before `since`, in Unix seconds, do not."""
        times, _, mac = token.rpartition(".")
        issued, _, expires = times.partition(".")
        if not hmac.compare_digest(mac.encode(), self._mac(slug, times).encode()):
            return False
        if not all(time.isdecimal() and len(time) <= MAX_TIME_DIGITS for time in (issued, expires)):
            return False
        # A setting that was made shorter since counts for old links too, and one that was made longer revives none.
        return int(issued) >= since and min(int(expires), int(issued) + self._seconds) > self._clock.now()

    def _mac(self, slug: str, times: str) -> str:
        digest = hmac.new(self._secret, f"{slug}\0{times}".encode(), hashlib.sha256).digest()[:18]
        return base64.urlsafe_b64encode(digest).decode()


class Gate:
    """A bare ASGI application: it answers once per request of every preview, so nothing stands before it."""

    def __init__(
        self,
        sessions: Sessions,
        repository: GitRepository,
        previews: Previews,
        signer: Signer,
        zone: str,
        *,
        secure: bool = False,
    ) -> None:
        self._sessions, self._repository, self._previews, self._signer = sessions, repository, previews, signer
        self._zone, self._cookie = zone, "Path=/; HttpOnly; SameSite=Lax" + ("; Secure" if secure else "")
        self._waking: dict[str, asyncio.Future[str]] = {}
        self._open_to: dict[str, tuple[float, str]] = {}
        self.nonce = secrets.token_hex(8)
        self.closing = False

    async def asgi(
        self, scope: Message, receive: Callable[[], Awaitable[Message]], send: Callable[[Message], Awaitable[None]]
    ) -> None:
        """Answer one question of Caddy's."""
        headers = dict[str, str]()
        for name, value in scope["headers"]:
            key, said = name.decode("latin-1"), value.decode("latin-1")
            headers[key] = f"{headers[key]}; {said}" if key == "cookie" and key in headers else said
        try:
            status, answer, body = await self._judge(headers)
        except BotError as error:
            status, answer, body = (
                503,
                {"retry-after": "2"},
                _page("The preview is not available", str(error), reload=True),
            )
        given = {
            "content-type": "text/html; charset=utf-8",
            "cache-control": "no-store",
            "x-threadwright": self.nonce,
            **answer,
        }
        pairs = [(name.encode("latin-1"), value.encode("latin-1")) for name, value in given.items()]
        await send({"type": "http.response.start", "status": status, "headers": pairs})
        await send({"type": "http.response.body", "body": body.encode()})

    async def _judge(self, headers: dict[str, str]) -> tuple[int, dict[str, str], str]:
        if "service-worker" in headers:
            # It would see every address of its host, also those that carry a link's secret.
            return 403, {}, _page("Refused", "Previews have no service workers.")
        host = headers.get("x-forwarded-host", headers.get("host", "")).partition(":")[0].casefold()
        name = host.removesuffix(f".{self._zone}")
        # A preview of one commit opens with the thread's link, and has files and data of its own.
        slug, _, commit = name.partition(PAST)
        path, _, query = headers.get("x-forwarded-uri", "/").partition("?")
        if hidden(path) or (PAST in name and not is_commit(commit) and self._previews.serving(name) is None):
            return 404, {}, _page("Not found", "There is nothing here.")
        pairs = parse_qsl(query, keep_blank_values=True)
        token = dict(pairs).get(COOKIE, "")
        session = await self._sessions.of_slug(slug)
        since = session.links_since if session else 0.0
        if token and self._signer.good(slug, token, since):
            rest = urlencode([pair for pair in pairs if pair[0] != COOKIE])
            target = "/" + path.lstrip("/\\") + (f"?{rest}" if rest else "")
            cookie = f"{COOKIE}={token}; {self._cookie}"
            return 302, {"location": target, "set-cookie": cookie}, ""
        origin = headers.get("origin", "").partition("://")[2]
        # Sockets, and connections that browsers do not trust, come without the first of the two.
        foreign = headers.get("sec-fetch-site") in ("same-site", "cross-site") or (
            bool(headers.get("origin")) and origin != headers.get("x-forwarded-host", "")
        )
        if foreign and (headers.get("x-forwarded-method"), headers.get("sec-fetch-mode")) != ("GET", "navigate"):
            return 403, {}, _page("Refused", "Another site may link here, and nothing else.")
        public = session is not None and session.sharing == "public"
        cookies = _cookies(headers.get("cookie", ""))
        known = next((token for token in cookies if self._signer.good(slug, token, since)), "")
        if not (public or known):
            return 401, {}, _page("This preview is private", "Open it by the link in the thread; links expire.")
        if path.startswith((RECEIPT, COMMIT)):
            if not known or session is None:
                return 401, {}, _page("This receipt is private", "Open it by the link in the thread; links expire.")
            if path.startswith(RECEIPT):
                return 200, {}, await receipt_page(session, path.removeprefix(RECEIPT), self._repository)
            # A redirect, because scripts of the app can read a page of this host, and must not see the token.
            other = f"{slug}{PAST}{_letters(path.removeprefix(COMMIT))[:COMMIT_LETTERS]}.{headers['x-forwarded-host'].partition('.')[2]}"
            return 302, {"location": f"//{other}/?{COOKIE}={known}"}, ""
        if path.startswith(LIVE):
            if path == f"{LIVE}error":
                # Only the person who has the link is heard; what a page of a public preview says, anybody can say.
                if known and slug == name:
                    self._previews.heard(name, dict(pairs).get("text", ""))
                return 204, {}, ""
            return await self._live(name, path.removeprefix(LIVE), dict(pairs).get("have", ""))
        if is_socket(headers) and (not known or self._previews.hot(name) is None):
            # A page that lost its Vite looks for it every second: that wakes nothing.
            return 503, {}, ""
        served = self._previews.serving(name)
        if served is None or (served.instance is not None and not await served.instance.alive()):
            if session is None:
                raise UserError("There is no such thread any more.")
            problem = await self._woken(session, name, commit, patient=headers.get("sec-fetch-mode") != "navigate")
            if problem is None:
                # What was served before may be dead: nobody is led there meanwhile.
                return WAITING
            if problem:
                return 503, {"retry-after": "5"}, _page("This preview does not start", problem)
            served = self._previews.serving(name)
        if served is None:
            return WAITING
        hot = self._previews.hot(name) if known else None
        theirs = {"X-Cookie": _others(headers.get("cookie", ""))}
        if hot is not None and (upstream := await hot.takes(path, headers, served.instance)):
            return 200, {"X-Upstream": upstream, **theirs}, ""
        return 200, dict([served.header]) | theirs, ""

    async def narrow(self) -> None:
        """End previews whose links were taken back, or that are no longer for everyone, with the streams that are open."""
        for name in self._previews.names():
            session = await self._sessions.of_slug(name.partition(PAST)[0])
            now = (session.links_since, session.sharing) if session else (0.0, "")
            before = self._open_to.setdefault(name, now)
            self._open_to[name] = now
            if now[0] > before[0] or (before[1] == "public" and now[1] != "public"):
                await self._previews.end(name)

    async def _live(self, name: str, what: str, have: str) -> tuple[int, dict[str, str], str]:
        """Give a page the script that reloads it, and tell it when there is another version than it has."""
        if what == "live.js":
            return 200, {"content-type": "text/javascript; charset=utf-8", "cache-control": "max-age=3600"}, SCRIPT
        if what != "live":
            return 404, {}, _page("Not found", "There is nothing here.")
        for _ in range(int(LIVE_SECONDS / LIVE_LOOK_SECONDS)):
            if self.closing:
                break
            if not self._previews.current(name, have):
                return 205, {}, ""
            await asyncio.sleep(LIVE_LOOK_SECONDS)
        return 204, {}, ""

    async def _woken(self, session: Session, name: str, commit: str, *, patient: bool) -> str | None:
        """Start a preview and return what is wrong, '' for nothing; None if it takes a while and a person is waiting."""
        waking = self._waking.get(name)
        if waking is None:
            waking = self._waking[name] = asyncio.ensure_future(self._wake(session, name, commit))
            waking.add_done_callback(partial(self._is_woken, name))
        done, _ = await asyncio.wait({waking}, timeout=None if patient else WAITING_PAGE_SECONDS)
        return waking.result() if done else None

    def _is_woken(self, name: str, waking: asyncio.Future[str]) -> None:
        del self._waking[name]
        if not waking.cancelled() and (error := waking.exception()):
            log.warning("preview_not_woken", extra={"preview": name, "why": str(error)[:200]})

    async def _wake(self, session: Session, name: str, commit: str) -> str:
        """Start a commit of a session's app, its head unless one is named; anything can be rebuilt from git."""
        if commit:
            wanted: str | None = (await self._repository.show(session.id, commit))[0].id
        else:
            wanted = await self._repository.head(session.id)
        if wanted is None:
            raise UserError("There is no app in this thread yet.")
        tree = await self._repository.tree(session.id, wanted)
        return await self._previews.wake(name, wanted, tree, manifest_of(tree))


def _cookies(header: str) -> list[str]:
    """Return every cookie of our name: a neighbour may have set one for the whole zone, and apps' cookies have any form."""
    return [value for name, value in _pairs(header) if name == COOKIE]


def _others(header: str) -> str:
    """Return the cookies that are not ours: what opens a preview is nothing for its app."""
    return "; ".join(f"{name}={value}" for name, value in _pairs(header) if name.casefold() != COOKIE)


def _pairs(header: str) -> list[tuple[str, str]]:
    """Return the cookies of a header, however they are separated: servers differ in what they take for the end of one."""
    parts = (part.strip().partition("=") for part in header.replace(",", ";").split(";"))
    return [(name.strip(), value.strip()) for name, _, value in parts if name.strip()]


def hidden(path: str) -> bool:
    """Say whether an address leads to a file whose name begins with a dot; `/.well-known/` is meant to be read."""
    for _ in range(3):
        path = unquote(path)
    parts = path.replace("\\", "/").split("/")
    return any(
        part.startswith(".") and (at, part) != (1, ".well-known") and (part, parts[at - 1]) != (".vite", "node_modules")
        for at, part in enumerate(parts)
    )


def is_commit(name: str) -> bool:
    """Say whether a name is that of a commit as addresses of previews have it."""
    return len(name) == COMMIT_LETTERS and _letters(name) == name


def _letters(text: str) -> str:
    return "".join(letter for letter in text if letter in "0123456789abcdef")


def _page(title: str, text: str, reload: bool = False) -> str:
    again = '<meta http-equiv="refresh" content="1">' if reload else ""
    return (
        f'<!doctype html><html lang="en"><head><meta charset="utf-8">{again}'
        '<meta name="viewport" content="width=device-width, initial-scale=1">'
        f"<title>{html.escape(title)}</title><style>:root{{color-scheme:light dark}}body{{font:17px/1.6 system-ui,sans-serif;"
        "display:grid;place-content:center;min-height:90vh;text-align:center;padding:24px}p{opacity:.75;max-width:60ch}</style>"
        f"</head><body><h1>{html.escape(title)}</h1><p>{html.escape(text)}</p></body></html>"
    )


WAITING = (503, {"retry-after": "1"}, _page("One moment", "The preview is starting.", reload=True))
