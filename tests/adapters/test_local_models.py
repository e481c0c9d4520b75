"""Models on this machine are found by themselves, and nothing else is taken for one."""

import json
from collections.abc import AsyncIterator
from typing import Any

import pytest
from aiohttp import web

from adapters.llm.local import PLACES, LocalModel, local_models
from tests.servers.process import free_port

Places = list[tuple[str, str]]
OLLAMA = {"object": "list", "data": [
    {"id": "nomic-embed-text:latest", "owned_by": "library"}, {"id": "llama3.3:70b", "owned_by": "library"},
    {"id": "qwen3-coder:30b", "owned_by": "library"},
]}  # fmt: skip


@pytest.fixture
async def answering(monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Any]:
    """Let one server on this machine answer; the other ports are closed."""
    runners: list[web.AppRunner] = []

    async def answer(server: str, body: Any, status: int = 200) -> Places:
        async def models(_: web.Request) -> web.Response:
            text = body if isinstance(body, str) else json.dumps(body)
            return web.Response(text=text, status=status, content_type="application/json")

        app, port = web.Application(), free_port()
        app.router.add_get("/v1/models", models)
        runners.append(web.AppRunner(app))
        await runners[-1].setup()
        await web.TCPSite(runners[-1], "127.0.0.1", port).start()
        monkeypatch.delenv("OLLAMA_HOST", raising=False)
        return [(name, f"127.0.0.1:{port if name == server else free_port()}") for name, _ in PLACES]

    yield answer
    for runner in runners:
        await runner.cleanup()


async def test_the_best_model_for_code_is_offered(answering: Any) -> None:
    places = await answering("Ollama", OLLAMA)
    at = dict(places)["Ollama"]
    found = LocalModel("Ollama", f"http://{at}/v1", "qwen3-coder:30b")
    assert await local_models(places) == [found]
    assert f"THREADWRIGHT_MODEL_BASE_URL=http://{at}/v1 and THREADWRIGHT_MODEL_NAME=qwen3-coder:30b" in found.offer


@pytest.mark.parametrize("form", ["http://0.0.0.0:{}/", "127.0.0.1:{}"])
async def test_where_ollama_is_told_to_listen_it_is_looked_for(
    answering: Any, monkeypatch: pytest.MonkeyPatch, form: str
) -> None:
    at = dict(await answering("Ollama", OLLAMA))["Ollama"]
    monkeypatch.setenv("OLLAMA_HOST", form.format(at.rpartition(":")[2]))
    assert [one.name for one in await local_models([("Ollama", "127.0.0.1:1")])] == ["qwen3-coder:30b"]


@pytest.mark.parametrize("owner", ["llamacpp", "somebody"])
async def test_not_everything_on_8080_is_llama_cpp(answering: Any, owner: str) -> None:
    places = await answering("llama.cpp", {"data": [{"id": "gpt-oss-20b", "owned_by": owner}]})
    assert [one.name for one in await local_models(places)] == (["gpt-oss-20b"] if owner == "llamacpp" else [])


@pytest.mark.parametrize(
    "body",
    [
        "",
        "[]",
        "{",
        "null",
        '{"data": null}',
        '{"data": [1]}',
        '{"data": []}',
        '{"data": [{"id": "bge-m3"}]}',
        "[" * 100_000,
    ],
)
async def test_what_is_no_list_of_models_is_none(answering: Any, body: str) -> None:
    assert await local_models(await answering("LM Studio", body)) == []


async def test_a_server_that_refuses_offers_nothing(answering: Any) -> None:
    assert await local_models(await answering("LM Studio", OLLAMA, 401)) == []
