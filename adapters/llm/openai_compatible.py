"""The LanguageModel port over any endpoint that speaks the OpenAI chat protocol, streamed."""

import asyncio
import contextlib
import json
import time
from collections.abc import AsyncIterator, Mapping
from dataclasses import dataclass, replace
from types import TracebackType
from typing import Any, Self

import httpx
import stamina

from adapters.llm.profiles import ProviderProfile, SizeKey
from adapters.llm.refusals import error_of, for_good, no_credit, reason, room, wait_of, wants_other_size_key
from core.errors import ProviderError
from core.llm.chat import ChatRequest, Completion, Usage

MAX_ANSWER_BYTES = 8_000_000
TRIES = 4
MAX_WAIT_SECONDS = 65.0
"""The window of a free plan is a minute."""
_NO_IMAGES = (400, 404, 413, 415, 422)
"""What endpoints answer that take no pictures, or not such large ones."""


MOST_CUTS, LEAST_TOKENS = 2, 1_000
"""How often the size of an answer is cut to what a provider says that it allows, and what is too little to be of use."""
_HINTS = {
    401: "The key is not accepted; check it.", 403: "The key may not use this model.",
    404: "There is no such model or endpoint; check THREADWRIGHT_MODEL_NAME.",
}  # fmt: skip


@dataclass(frozen=True)
class _Form:
    """How a call is put: the rung of the ladder, the name and the limit of the answer's size, with pictures or without."""

    rung: int
    size_key: SizeKey
    most_tokens: int
    shown: bool
    swapped: bool = False
    cuts: int = 0

    def size(self, request: ChatRequest) -> int:
        """Return how many tokens of an answer are asked for."""
        return min(request.max_output_tokens, self.most_tokens or request.max_output_tokens)


@dataclass(frozen=True)
class Prices:
    """US dollars for a million tokens; used where the provider does not name the cost itself."""

    input_usd: float = 0.0
    output_usd: float = 0.0


class _Again(Exception):
    """A failure that may go away; `after` is what the provider asked to wait, in seconds."""

    def __init__(self, message: str, after: float | None = None) -> None:
        super().__init__(message)
        self.after = after


class _Refused(Exception):
    """The provider answered with an error: over HTTP, or inside a stream."""

    def __init__(self, status: int, error: dict[str, Any], headers: Mapping[str, str]) -> None:
        super().__init__(reason(error) or f"HTTP {status}")
        self.status, self.error, self.headers = status, error, headers


class OpenAICompatibleModel:
    """One model of one provider. Use it as an async context manager."""

    def __init__(self, profile: ProviderProfile, key: str, model: str, prices: Prices, seconds: float) -> None:
        self.name = model or profile.model
        self._profile, self._prices, self._seconds = profile, prices, seconds
        self._rung, self._sees = 0, True
        self._size_key, self._most_tokens = profile.size_key, 0
        headers = {"Authorization": f"Bearer {key}"} if key else {}
        timeout = httpx.Timeout(seconds, connect=15)
        self._http = httpx.AsyncClient(base_url=profile.base_url, headers=headers, timeout=timeout)

    async def __aenter__(self) -> Self:
        """Open the connections."""
        return self

    async def __aexit__(self, *_: type[BaseException] | BaseException | TracebackType | None) -> None:
        """Close the connections."""
        await self._http.aclose()

    async def complete(self, request: ChatRequest) -> Completion:
        """
        Return the answer; retried a few times on 429, 5xx, time-outs and broken streams.

        Raises:
            ProviderError: no answer; says what the provider said, without the key.
        """
        try:
            async for attempt in stamina.retry_context(
                on=_wait_or_stop, attempts=TRIES, timeout=self._seconds * 2, wait_max=30
            ):
                with attempt:
                    return await self._once(request)
        except _Again as error:
            after = error.after or 0
            until = time.strftime("%-d %B, %H:%M UTC", time.gmtime(time.time() + after + 59))
            wait = f"; it can be asked again on {until}" if after > MAX_WAIT_SECONDS else ""
            raise ProviderError(f"{self._profile.name} did not answer: {error}{wait}.", retryable=True) from error
        raise AssertionError("stamina ends with a value or an error")

    async def _once(self, request: ChatRequest) -> Completion:
        """Ask once: where the provider refuses a form, a name or a size, by the next that it may take."""
        form = _Form(self._rung, self._size_key, self._most_tokens, shown=bool(request.images) and self._sees)
        refused = 0
        while True:
            try:
                async with asyncio.timeout(self._seconds):
                    answer = await self._ask(request, form)
            except TimeoutError as error:
                raise _Again(f"no answer within {self._seconds:.0f} s") from error
            except httpx.HTTPError as error:
                raise _Again(f"{type(error).__name__}") from error
            except _Refused as error:
                if form.shown and error.status in _NO_IMAGES:
                    # It may be the pictures: once without them.
                    form, refused = replace(form, shown=False), error.status
                    continue
                if (next_form := self._next(form, request, error)) is None:
                    raise self._given_up(error) from error
                form = next_form
                continue
            self._rung, self._size_key, self._most_tokens = form.rung, form.size_key, form.most_tokens
            if request.images and not form.shown:
                # Another code may mean these pictures, and not all.
                self._sees = self._sees and refused not in (404, 415)
                return replace(answer, blind=True)
            return answer

    def _next(self, form: "_Form", request: ChatRequest, refused: _Refused) -> "_Form | None":
        """Return what to ask with instead, None when nothing of it may be to blame."""
        asked = form.size(request)
        most = room(refused.error, asked)
        if (
            most is not None
            and refused.status not in (401, 403, 404)
            and form.cuts < MOST_CUTS
            and LEAST_TOKENS <= most < asked
        ):
            return replace(form, most_tokens=most, cuts=form.cuts + 1)
        if refused.status not in (400, 422):
            return None
        if not form.swapped and wants_other_size_key(refused.error, form.size_key):
            other: SizeKey = "max_tokens" if form.size_key == "max_completion_tokens" else "max_completion_tokens"
            return replace(form, size_key=other, swapped=True)
        if request.schema is not None and form.rung < len(self._profile.rungs) - 1:
            return replace(form, rung=form.rung + 1, shown=bool(request.images) and self._sees)
        return None

    def _given_up(self, refused: _Refused) -> Exception:
        """Return what a refusal means: wait and ask again, or tell people."""
        status, error, name = refused.status, refused.error, self._profile.name
        after = wait_of(refused.headers, error, time.time())
        if no_credit(status, error):
            return ProviderError(f"The account at {name} has no credit left for this. {refused}")
        if for_good(status, error):
            return ProviderError(f"{name} refused ({status}). {refused}")
        if status in (408, 409, 425, 429) or status >= 500:
            return _Again(f"{refused}" if f"{status}" in f"{refused}" else f"HTTP {status}: {refused}", after)
        return ProviderError(f"{name} refused ({status}). {_HINTS.get(status, '')} {reason(error)}".strip())

    async def _ask(self, request: ChatRequest, form: "_Form") -> Completion:
        text, finish, usage, model = list[str](), "", dict[str, Any](), self.name
        async with self._http.stream("POST", "/chat/completions", json=self._body(request, form)) as response:
            if response.is_error:
                body: Any = None
                with contextlib.suppress(ValueError):
                    body = json.loads(await _limited(response))
                raise _Refused(response.status_code, error_of(body), response.headers)
            async for chunk in _events(response):
                if "error" in chunk:
                    error = error_of(chunk)
                    code = str(error.get("code", ""))
                    raise _Refused(int(code) if code.isdecimal() and len(code) == 3 else 500, error, response.headers)
                usage = chunk["usage"] if isinstance(chunk.get("usage"), dict) else usage
                model = chunk.get("model") or model
                choices = chunk.get("choices")
                for choice in choices if isinstance(choices, list) else ():
                    if isinstance(choice, dict):
                        delta = choice.get("delta") or choice.get("message")
                        text.append(_text(delta.get("content")) if isinstance(delta, dict) else "")
                        finish = choice.get("finish_reason") or finish
        if not finish:
            raise _Again("the answer broke off")
        answer = "".join(text)
        return Completion(answer, str(model), self._usage(usage, request, answer), complete=finish != "length")

    def _body(self, request: ChatRequest, form: "_Form") -> dict[str, Any]:
        system = request.system
        body: dict[str, Any] = {
            "model": self.name, "stream": True, "stream_options": {"include_usage": True},
            form.size_key: form.size(request),
        }  # fmt: skip
        if request.schema is not None:
            system += f"\n\nAnswer with one JSON object that fits this JSON schema:\n{json.dumps(request.schema)}"
            rung = self._profile.rungs[form.rung]
            if rung == "json_schema":
                body["response_format"] = {
                    "type": rung,
                    "json_schema": {"name": request.role, "schema": request.schema},
                }
            elif rung == "json_object":
                body["response_format"] = {"type": rung}
        messages: list[dict[str, Any]] = [{"role": one.speaker, "content": one.text} for one in request.messages]
        if form.shown:
            urls = [{"url": f"data:{one.media_type};base64,{one.content}"} for one in request.images]
            pictures = [{"type": "image_url", "image_url": url} for url in urls]
            messages[0]["content"] = [{"type": "text", "text": messages[0]["content"]}, *pictures]
        return {**body, "messages": [{"role": "system", "content": system}, *messages]}

    def _usage(self, usage: dict[str, Any], request: ChatRequest, answer: str) -> Usage:
        """Return what the call cost; where the provider counts no tokens, four characters are taken for one."""
        asked = sum(len(message.text) for message in request.messages) + len(request.system)
        tokens_in = int(usage.get("prompt_tokens") or asked // 4)
        tokens_out = int(usage.get("completion_tokens") or len(answer) // 4)
        cost = usage.get("cost")
        if cost is None:
            cost = (tokens_in * self._prices.input_usd + tokens_out * self._prices.output_usd) / 1e6
        return Usage(tokens_in, tokens_out, float(cost))


def _wait_or_stop(error: Exception) -> bool | float:
    if not isinstance(error, _Again):
        return False
    # Whom the provider asks to wait for longer is told until when.
    return True if error.after is None else error.after if error.after <= MAX_WAIT_SECONDS else False


async def _events(response: httpx.Response) -> AsyncIterator[dict[str, Any]]:
    """Yield the JSON of each server-sent event; an endpoint that does not stream sends one object."""
    if "text/event-stream" not in response.headers.get("content-type", ""):
        yield _json(await _limited(response))
        return
    async for line in _lines(response):
        if line.startswith("data:") and (data := line[5:].strip()) and data != "[DONE]":
            yield _json(data)


async def _lines(response: httpx.Response) -> AsyncIterator[str]:
    """Yield the lines of an event stream: they end at CR, LF or both, and at nothing else that Unicode calls a line's end."""
    rest, size = b"", 0
    async for chunk in response.aiter_bytes():
        size += len(chunk)
        if size > MAX_ANSWER_BYTES:
            raise ProviderError(f"The model's answer is longer than {MAX_ANSWER_BYTES:,} bytes, so it was not taken.")
        *lines, rest = (rest + chunk).replace(b"\r\n", b"\n").replace(b"\r", b"\n").split(b"\n")
        for line in lines:
            yield line.decode("utf-8", "replace")
    yield rest.decode("utf-8", "replace")


def _text(content: Any) -> str:
    """Return the text of a message: it may come as a list of parts, of which reasoning is none."""
    if isinstance(content, list):
        return "".join(
            part if isinstance(part, str) else str(part.get("text") or "")
            for part in content
            if isinstance(part, str) or (isinstance(part, dict) and part.get("type", "text") in ("text", "output_text"))
        )
    return content if isinstance(content, str) else ""


async def _limited(response: httpx.Response) -> str:
    body = bytearray()
    async for chunk in response.aiter_bytes():
        body += chunk
        if len(body) > MAX_ANSWER_BYTES:
            raise ProviderError(f"The model's answer is longer than {MAX_ANSWER_BYTES:,} bytes, so it was not taken.")
    return body.decode("utf-8", "replace")


def _json(data: str) -> dict[str, Any]:
    try:
        found = json.loads(data)
    except ValueError as error:
        raise _Again("the provider sent no JSON") from error
    return found if isinstance(found, dict) else {}
