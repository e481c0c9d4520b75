"""The model adapter against a real server over HTTP, with everything that goes wrong out there."""

import asyncio
import json
import time
from collections.abc import AsyncIterator, Iterator
from dataclasses import replace
from email.utils import formatdate
from typing import Any

import pytest
from fastapi import Response
from fastapi.responses import JSONResponse, StreamingResponse

from adapters.llm.openai_compatible import MAX_ANSWER_BYTES, OpenAICompatibleModel, Prices
from adapters.llm.profiles import ProviderProfile
from adapters.llm.refusals import error_of, reason, wait_of
from core.errors import ProviderError
from core.llm.chat import ChatRequest, Image, Message, Usage
from tests.servers.model import ModelServer, model_server, refused

ASKED = ChatRequest("backend", "code", "You write.", (Message("user", "Hello"),))
STRUCTURED = ChatRequest("arch", "reasoning", "You plan.", (Message("user", "Hello"),), schema={"type": "object"})


@pytest.fixture
def server() -> Iterator[ModelServer]:
    with model_server() as running:
        running.fault = lambda _: "An answer."
        yield running


@pytest.fixture
async def model(server: ModelServer) -> AsyncIterator[OpenAICompatibleModel]:
    profile = ProviderProfile("testing", server.url, "model-1")
    async with OpenAICompatibleModel(profile, "secret-key", "", Prices(2.0, 10.0), seconds=3) as opened:
        yield opened


async def test_an_answer_is_streamed_and_counted(server: ModelServer, model: OpenAICompatibleModel) -> None:
    completion = await model.complete(ASKED)
    assert (completion.text, completion.model, completion.complete) == ("An answer.", "test-model", True)
    assert completion.usage == Usage(100, 10, pytest.approx(0.0003))  # type: ignore[arg-type]
    assert server.bodies[0]["messages"] == [
        {"role": "system", "content": "You write."},
        {"role": "user", "content": "Hello"},
    ]
    assert "response_format" not in server.bodies[0]


PICTURE = Image("image/png", "iVBORw0K")


def has_picture(body: dict[str, Any]) -> bool:
    return isinstance(body["messages"][1]["content"], list)


async def test_pictures_are_shown(server: ModelServer, model: OpenAICompatibleModel) -> None:
    completion = await model.complete(replace(ASKED, images=(PICTURE, PICTURE)))
    assert not completion.blind
    picture = {"type": "image_url", "image_url": {"url": "data:image/png;base64,iVBORw0K"}}
    assert server.bodies[0]["messages"][1]["content"] == [{"type": "text", "text": "Hello"}, picture, picture]


@pytest.mark.parametrize(("status", "calls"), [(400, 4), (404, 3), (413, 4), (415, 3), (422, 4)])
async def test_a_model_that_takes_no_pictures_is_asked_without_and_remembered(
    server: ModelServer, model: OpenAICompatibleModel, status: int, calls: int
) -> None:
    server.fault = lambda body: refused(status, "no images") if has_picture(body) else "{}"
    for _ in range(2):
        completion = await model.complete(replace(STRUCTURED, images=(PICTURE,)))
        assert (completion.text, completion.blind) == ("{}", True)
        # The form of the answer was not to blame.
        assert server.bodies[-1]["response_format"]["type"] == "json_schema"
    # What may be the fault of these very pictures is tried again.
    assert len(server.bodies) == calls


async def test_a_refused_form_of_answer_is_not_taken_for_blindness(
    server: ModelServer, model: OpenAICompatibleModel
) -> None:
    server.fault = lambda body: refused(400, "no form") if "response_format" in body else "{}"
    completion = await model.complete(replace(STRUCTURED, images=(PICTURE,)))
    assert not completion.blind
    assert has_picture(server.bodies[-1])
    server.fault = lambda _: refused(400, "a bad word")
    with pytest.raises(ProviderError, match="a bad word"):
        await model.complete(replace(ASKED, images=(PICTURE,)))
    server.fault = lambda _: "An answer."
    assert not (await model.complete(replace(ASKED, images=(PICTURE,)))).blind


async def test_a_structured_answer_is_asked_for_with_its_schema(
    server: ModelServer, model: OpenAICompatibleModel
) -> None:
    await model.complete(STRUCTURED)
    assert server.bodies[0]["response_format"]["type"] == "json_schema"
    assert '{"type": "object"}' in server.bodies[0]["messages"][0]["content"]


async def test_a_refused_form_of_structured_answer_is_not_asked_for_again(
    server: ModelServer, model: OpenAICompatibleModel
) -> None:
    def only_text(body: dict[str, Any]) -> Response | str:
        return refused(400, "no response_format here") if "response_format" in body else "{}"

    server.fault = only_text
    assert (await model.complete(STRUCTURED)).text == "{}"
    await model.complete(STRUCTURED)
    kinds = [body.get("response_format", {}).get("type") for body in server.bodies]
    assert kinds == ["json_schema", "json_object", None, None]


@pytest.mark.parametrize("status", [429, 500, 503])
async def test_trouble_that_passes_is_waited_for(
    server: ModelServer, model: OpenAICompatibleModel, status: int
) -> None:
    answers: list[Response | str] = [refused(status, **{"Retry-After": "0.1"}), refused(status), "At last."]
    server.fault = lambda _: answers.pop(0)
    assert (await model.complete(ASKED)).text == "At last."


@pytest.mark.parametrize("wait", ["3600", "date"])
async def test_a_provider_that_wants_a_long_pause_is_not_asked_again(
    server: ModelServer, model: OpenAICompatibleModel, wait: str
) -> None:
    after = wait if wait != "date" else formatdate(time.time() + 3600, usegmt=True)
    server.fault = lambda _: refused(429, **{"Retry-After": after})
    with pytest.raises(ProviderError, match=r"HTTP 429: no; it can be asked again on \d+ \w+, \d\d:\d\d UTC"):
        await model.complete(ASKED)
    assert len(server.bodies) == 1


async def test_trouble_that_stays_is_reported(server: ModelServer, model: OpenAICompatibleModel) -> None:
    server.fault = lambda _: refused(503, **{"Retry-After": "0.01"})
    with pytest.raises(ProviderError, match="HTTP 503") as caught:
        await model.complete(ASKED)
    assert caught.value.retryable
    assert len(server.bodies) == 4


@pytest.mark.parametrize(
    ("status", "hint"), [(401, "check it"), (402, "no credit"), (404, "THREADWRIGHT_MODEL_NAME"), (400, "bad word")]
)
async def test_a_refusal_is_not_repeated_and_says_what_to_do(
    server: ModelServer, model: OpenAICompatibleModel, status: int, hint: str
) -> None:
    server.fault = lambda _: refused(status, "bad word")
    with pytest.raises(ProviderError, match=hint) as caught:
        await model.complete(ASKED)
    assert "secret-key" not in str(caught.value)
    assert len(server.bodies) == 1


async def test_a_model_that_hangs_is_given_up(server: ModelServer, model: OpenAICompatibleModel) -> None:
    server.delay = 60
    model._seconds = 0.2
    with pytest.raises(ProviderError, match="no answer within"):
        await asyncio.wait_for(model.complete(ASKED), 20)


async def test_an_answer_without_end_is_cut_off(server: ModelServer, model: OpenAICompatibleModel) -> None:
    async def flood() -> AsyncIterator[str]:
        line = json.dumps({"choices": [{"delta": {"content": "x" * 100_000}}]})
        for _ in range(500):
            yield f"data: {line}\n\n"

    server.fault = lambda _: StreamingResponse(flood(), media_type="text/event-stream")
    with pytest.raises(ProviderError, match=f"longer than {MAX_ANSWER_BYTES:,}"):
        await model.complete(ASKED)
    server.fault = lambda _: JSONResponse(
        {"choices": [{"message": {"content": "x" * (MAX_ANSWER_BYTES + 1)}, "finish_reason": "stop"}]}
    )
    with pytest.raises(ProviderError, match="longer than"):
        await model.complete(ASKED)


@pytest.mark.parametrize(
    "body",
    [
        'data: {"choices": [{"delta": {"content": "half"}}]}\n\n',
        "data: garbage\n\n",
        'data: {"error": {"message": "overloaded"}}\n\n',
        "",
    ],
)
async def test_a_stream_that_breaks_off_is_asked_for_again(
    server: ModelServer, model: OpenAICompatibleModel, body: str
) -> None:
    answers: list[Response | str] = [Response(body, media_type="text/event-stream"), "Whole."]
    server.fault = lambda _: answers.pop(0)
    assert (await model.complete(ASKED)).text == "Whole."


async def test_a_server_that_does_not_stream_is_understood(server: ModelServer, model: OpenAICompatibleModel) -> None:
    server.fault = lambda _: JSONResponse(
        {"choices": [{"message": {"content": "One piece."}, "finish_reason": "length"}], "usage": {"cost": 0.5}}
    )
    completion = await model.complete(ASKED)
    assert (completion.text, completion.complete, completion.usage.cost_usd) == ("One piece.", False, 0.5)


async def test_no_server_at_all_is_reported() -> None:
    profile = ProviderProfile("testing", "http://127.0.0.1:9", "model-1")
    async with OpenAICompatibleModel(profile, "", "", Prices(), seconds=1) as model:
        with pytest.raises(ProviderError, match="ConnectError"):
            await model.complete(ASKED)


# --- what providers of today send and refuse


def stream(*chunks: Any, ends: str = "\n\n") -> Response:
    """Return an event stream; JSON is written as JavaScript writes it, with every character as it is."""
    said = [f"data: {json.dumps(chunk, ensure_ascii=False)}" for chunk in chunks]
    return Response((ends.join([*said, "data: [DONE]"]) + ends).encode(), media_type="text/event-stream")


def chunk(content: Any, finish: str | None = None) -> dict[str, Any]:
    return {"choices": [{"index": 0, "delta": {"content": content}, "finish_reason": finish}]}


def error(status: int, message: str, **more: Any) -> Response:
    return JSONResponse({"error": {"message": message, **more}}, status)


@pytest.mark.parametrize("separator", ["\u2028", "\u2029", "\x85", "\x0c", "\x1c"])
@pytest.mark.parametrize("ends", ["\n\n", "\r\n\r\n"])
async def test_only_cr_and_lf_end_the_lines_of_a_stream(
    server: ModelServer, model: OpenAICompatibleModel, separator: str, ends: str
) -> None:
    server.fault = lambda _: stream(chunk(f"a{separator}b"), chunk("", "stop"), ends=ends)
    assert (await model.complete(ASKED)).text == f"a{separator}b"
    assert len(server.bodies) == 1


async def test_a_message_may_come_in_parts(server: ModelServer, model: OpenAICompatibleModel) -> None:
    thinking = [{"type": "thinking", "thinking": [{"type": "text", "text": "Hm."}]}]
    server.fault = lambda _: stream(
        chunk(thinking), chunk([{"type": "text", "text": "One"}, " piece"]), chunk(None, "stop")
    )
    assert (await model.complete(ASKED)).text == "One piece"


async def test_odd_chunks_are_no_crash(server: ModelServer, model: OpenAICompatibleModel) -> None:
    odd = [{"choices": None}, {"choices": ["x"]}, {"choices": [{"delta": "x"}]}, {"choices": [], "usage": 7}, 7]
    server.fault = lambda _: stream(*odd, chunk("Fine.", "stop"))
    assert (await model.complete(ASKED)).text == "Fine."


async def test_the_name_of_the_size_limit_is_changed_where_it_is_refused(
    server: ModelServer, model: OpenAICompatibleModel
) -> None:
    def only_new_name(body: dict[str, Any]) -> Response | str:
        said = (
            "Unsupported parameter: 'max_tokens' is not supported with this model. Use 'max_completion_tokens' instead."
        )
        return error(400, said) if "max_tokens" in body else "{}"

    server.fault = only_new_name
    await model.complete(STRUCTURED)
    await model.complete(STRUCTURED)
    assert ["max_tokens" in body for body in server.bodies] == [True, False, False]
    # The form of the answer was not to blame.
    assert {body["response_format"]["type"] for body in server.bodies} == {"json_schema"}


@pytest.mark.parametrize(
    ("status", "said", "then"),
    [
        (400, "max_tokens is too large: 16000. This model supports at most 4096 completion tokens.", 4096),
        (413, "Request too large for model `x` on tokens per minute (TPM): Limit 8000, Requested 16800, please reduce.", 7200),
        (402, "You requested up to 16000 tokens, but can only afford 2345.", 2345),
        (400, "This model's maximum context length is 8,192 tokens. However, you requested 17000 tokens (1000 in the messages).", 7192),
        (422, "max_tokens must be less than or equal to `8192`", 8192),
    ],
)  # fmt: skip
async def test_the_size_is_cut_to_what_the_provider_allows(
    server: ModelServer, model: OpenAICompatibleModel, status: int, said: str, then: int
) -> None:
    server.fault = lambda body: error(status, said) if body["max_tokens"] > then else "Short."
    assert (await model.complete(ASKED)).text == "Short."
    await model.complete(ASKED)
    assert [body["max_tokens"] for body in server.bodies] == [16_000, then, then]


@pytest.mark.parametrize(
    ("status", "more", "said"),
    [
        (429, {"code": "insufficient_quota"}, "no credit left"),
        (429, {"details": [{"violations": [{"quotaId": "GenerateRequestsPerDayPerProjectPerModel-FreeTier"}]}]}, "refused"),
        (429, {"type": "requests per day"}, "refused"),
        (402, {}, "no credit left"),
    ],
)  # fmt: skip
async def test_what_waiting_does_not_help_is_not_asked_again(
    server: ModelServer, model: OpenAICompatibleModel, status: int, more: dict[str, Any], said: str
) -> None:
    for answer in (error(status, "You exceeded your current quota.", **more), stream(chunk("a"), {"error": {"message": "You exceeded your current quota.", "code": status, **({"code": more["code"]} if "code" in more else {}), **more}})):  # fmt: skip
        server.fault = lambda _, answer=answer: answer  # type: ignore[misc]
        before = len(server.bodies)
        if isinstance(answer, JSONResponse) or "code" in more or status == 402:
            with pytest.raises(ProviderError, match=said) as caught:
                await model.complete(ASKED)
            assert "{" not in str(caught.value)
            assert len(server.bodies) == before + 1


@pytest.mark.parametrize(
    ("headers", "found", "wait"),
    [
        ({"retry-after": "7"}, {}, 7.0),
        ({"retry-after-ms": "1500"}, {}, 1.5),
        ({}, {"details": [{"@type": "x"}, {"retryDelay": "20s"}]}, 20.0),
        ({}, {"message": "Rate limit reached. Please try again in 1m26.4s. Visit us."}, 86.4),
        ({"x-ratelimit-reset-tokens": "20s", "x-ratelimit-reset-requests": "1m26s", "x-ratelimit-remaining-tokens": "0"}, {}, 20.0),
        ({"x-ratelimit-reset-tokens": "20s", "x-ratelimit-reset-requests": "6m0s"}, {}, 20.0),
        ({"anthropic-ratelimit-tokens-reset": "2001-09-09T01:47:10Z", "anthropic-ratelimit-tokens-remaining": "0"}, {}, 30.0),
        ({}, {"metadata": {"headers": {"X-RateLimit-Reset": "1000000030000"}}}, 30.0),
        ({"retry-after": "0"}, {}, 0.5),
        ({"retry-after": "soon"}, {"details": "odd", "metadata": 3}, None),
    ],
)  # fmt: skip
def test_the_wait_is_read_from_where_providers_put_it(
    headers: dict[str, str], found: dict[str, Any], wait: float
) -> None:
    seen = wait_of(headers, found, 1_000_000_000.0)
    assert seen == (None if wait is None else pytest.approx(wait))


def test_errors_come_in_many_wrappings() -> None:
    for body in (
        [{"error": {"message": "no"}}],
        {"error": {"message": "no"}},
        {"error": "no"},
        {"message": "no"},
        "no",
    ):
        assert reason(error_of(body)) == "no"
    assert reason(error_of(None)) == reason(error_of([])) == reason(error_of({})) == ""


async def test_a_form_refused_with_422_is_left_too(server: ModelServer, model: OpenAICompatibleModel) -> None:
    server.fault = lambda body: (
        error(422, "unknown variant `json_schema`")
        if body.get("response_format", {}).get("type") == "json_schema"
        else "{}"
    )
    assert (await model.complete(STRUCTURED)).text == "{}"


async def test_an_error_inside_a_stream_says_why_in_words(server: ModelServer, model: OpenAICompatibleModel) -> None:
    server.fault = lambda _: stream(chunk("half"), {"error": {"message": "Provider returned error", "code": 502}})
    with pytest.raises(ProviderError, match=r"did not answer: HTTP 502: Provider returned error\.$"):
        await model.complete(ASKED)
    assert len(server.bodies) == 4
