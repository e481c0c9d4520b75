"""The LanguageModel port over any endpoint that speaks the OpenAI chat protocol, streamed."""

import asyncio
import contextlib
import json
import time
from collections.abc import AsyncIterator
from dataclasses import dataclass, replace
from email.utils import parsedate_to_datetime
from types import TracebackType
from typing import Any, Self

import httpx
import stamina

from adapters.llm.profiles import ProviderProfile
from core.errors import ProviderError
from core.llm.chat import ChatRequest, Completion, Usage

MAX_ANSWER_BYTES = 8_000_000
TRIES = 4
MAX_WAIT_SECONDS = 30.0
_NO_IMAGES = (400, 404, 413, 415, 422)
"""What endpoints answer that take no pictures, or not such large ones."""


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


class OpenAICompatibleModel:
    """One model of one provider. Use it as an async context manager."""

    def __init__(self, profile: ProviderProfile, key: str, model: str, prices: Prices, seconds: float) -> None:
        self.name = model or profile.model
        self._profile, self._prices, self._seconds = profile, prices, seconds
        self._rung, self._sees = 0, True
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
                on=_wait_or_stop, attempts=TRIES, timeout=self._seconds * 2, wait_max=MAX_WAIT_SECONDS
            ):
                with attempt:
                    return await self._once(request)
        except _Again as error:
            until = time.strftime("%H:%M UTC", time.gmtime(time.time() + (error.after or 0) + 59))
            wait = f", and asks to wait until {until}" if (error.after or 0) > MAX_WAIT_SECONDS else ""
            raise ProviderError(f"{self._profile.name} did not answer: {error}{wait}.", retryable=True) from error
        raise AssertionError("stamina ends with a value or an error")

    async def _once(self, request: ChatRequest) -> Completion:
        """Ask once, stepping down the ladder of structured answers when the provider refuses a rung."""
        shown, refused = bool(request.images) and self._sees, 0
        while True:
            try:
                async with asyncio.timeout(self._seconds):
                    answer = await self._ask(request, shown=shown)
                if request.images and not shown:
                    # Another code may mean these pictures, and not all.
                    self._sees = self._sees and refused not in (404, 415)
                    return replace(answer, blind=True)
                return answer
            except TimeoutError as error:
                raise _Again(f"no answer within {self._seconds:.0f} s") from error
            except httpx.HTTPStatusError as error:
                code = error.response.status_code
                if shown and code in _NO_IMAGES:
                    # It may be the pictures: once without them.
                    shown, refused = False, code
                    continue
                if code == 400 and request.schema is not None and self._rung < len(self._profile.rungs) - 1:
                    self._rung += 1
                    shown = bool(request.images) and self._sees
                    continue
                if code in (408, 409, 425, 429) or code >= 500:
                    raise _Again(f"HTTP {code}", _retry_after(error.response)) from error
                raise ProviderError(_refusal(self._profile.name, error.response)) from error
            except httpx.HTTPError as error:
                raise _Again(f"{type(error).__name__}") from error

    async def _ask(self, request: ChatRequest, *, shown: bool) -> Completion:
        text, finish, usage, model = list[str](), "", dict[str, Any](), self.name
        async with self._http.stream("POST", "/chat/completions", json=self._body(request, shown=shown)) as response:
            if response.is_error:
                await response.aread()
                response.raise_for_status()
            async for chunk in _events(response):
                if "error" in chunk:
                    raise _Again(str(chunk["error"])[:200])
                usage = chunk.get("usage") or usage
                model = chunk.get("model") or model
                for choice in chunk.get("choices") or []:
                    delta = choice.get("delta") or choice.get("message") or {}
                    text.append(delta.get("content") or "")
                    finish = choice.get("finish_reason") or finish
        if not finish:
            raise _Again("the answer broke off")
        answer = "".join(text)
        return Completion(answer, str(model), self._usage(usage, request, answer), complete=finish != "length")

    def _body(self, request: ChatRequest, *, shown: bool) -> dict[str, Any]:
        system = request.system
        body: dict[str, Any] = {
            "model": self.name, "stream": True, "stream_options": {"include_usage": True},
            "max_tokens": request.max_output_tokens,
        }  # fmt: skip
        if request.schema is not None:
            system += f"\n\nAnswer with one JSON object that fits this JSON schema:\n{json.dumps(request.schema)}"
            rung = self._profile.rungs[self._rung]
            if rung == "json_schema":
                body["response_format"] = {
                    "type": rung,
                    "json_schema": {"name": request.role, "schema": request.schema},
                }
            elif rung == "json_object":
                body["response_format"] = {"type": rung}
        messages: list[dict[str, Any]] = [{"role": one.speaker, "content": one.text} for one in request.messages]
        if shown:
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
    size = 0
    async for line in response.aiter_lines():
        size += len(line)
        if size > MAX_ANSWER_BYTES:
            raise ProviderError(f"The model's answer is longer than {MAX_ANSWER_BYTES:,} bytes, so it was not taken.")
        if line.startswith("data:") and (data := line[5:].strip()) and data != "[DONE]":
            yield _json(data)


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


def _retry_after(response: httpx.Response) -> float | None:
    """Return the seconds that the provider asks to wait, given as seconds or as a date."""
    said = response.headers.get("retry-after", "")
    with contextlib.suppress(ValueError):
        return max(0.0, float(said))
    with contextlib.suppress(ValueError):
        return max(0.0, parsedate_to_datetime(said).timestamp() - time.time())
    return None


def _refusal(provider: str, response: httpx.Response) -> str:
    hints = {401: "The key is not accepted; check it.", 402: "The account has no credit.", 403: "The key may not use this model.",
             404: "There is no such model or endpoint; check THREADWRIGHT_MODEL_NAME."}  # fmt: skip
    said = ""
    with contextlib.suppress(ValueError, AttributeError, KeyError, TypeError):
        said = str(response.json()["error"]["message"])[:200]
    return f"{provider} refused ({response.status_code}). {hints.get(response.status_code, '')} {said}".strip()
