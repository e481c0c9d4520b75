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
    with pytest.raises(ProviderError, match=r"HTTP 429, and asks to wait until \d\d:\d\d UTC"):
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
