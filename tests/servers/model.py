"""A model server that speaks the OpenAI chat protocol over HTTP, streamed, with faults on demand."""

import asyncio
import contextlib
import json
import threading
from collections.abc import AsyncIterator, Callable, Iterator
from typing import Any, get_args

import uvicorn
from fastapi import FastAPI, Request, Response
from fastapi.responses import JSONResponse, StreamingResponse

from adapters.llm.builtin import BuiltinModel
from core.agents import prompt_of
from core.llm.chat import ChatRequest, Message
from core.manifests import Role
from tests.servers.process import free_port

Fault = Callable[[dict[str, Any]], Response | str | None]


class ModelServer:
    """
    Answers as the built-in builder would, after `delay` seconds, and later still where the body has the words `late`.

    `fault` sees each request's body first: a Response is sent as it is, a string is streamed as the answer.
    """

    def __init__(self, delay: float) -> None:
        self.delay, self.late = delay, ""
        self.fault: Fault = lambda _: None
        self.bodies: list[dict[str, Any]] = []
        self.port = free_port()
        self.url = f"http://127.0.0.1:{self.port}/v1"
        self._builder = BuiltinModel()

    def app(self) -> FastAPI:
        """Return the server's application."""
        web = FastAPI()

        @web.post("/v1/chat/completions")
        async def complete(request: Request) -> Response:
            body = await request.json()
            self.bodies.append(body)
            await asyncio.sleep(60 if self.late and self.late in body["messages"][-1]["content"] else self.delay)
            found = self.fault(body)
            if isinstance(found, Response):
                return found
            text = found if found is not None else await self._answer(body)
            return StreamingResponse(self._stream(text), media_type="text/event-stream")

        return web

    async def _answer(self, body: dict[str, Any]) -> str:
        system, *talk = body["messages"]
        role = next(role for role in get_args(Role) if system["content"].startswith(prompt_of(role).strip()[:60]))
        schema: dict[str, Any] | None = {} if "JSON schema" in system["content"] else None
        messages = tuple(Message(one["role"], one["content"]) for one in talk)
        completion = await self._builder.complete(ChatRequest(role, "text", system["content"], messages, schema))
        return completion.text

    async def _stream(self, text: str) -> AsyncIterator[str]:
        for at in range(0, len(text), 4_000):
            delta = {"choices": [{"index": 0, "delta": {"content": text[at : at + 4_000]}, "finish_reason": None}]}
            yield f"data: {json.dumps(delta)}\n\n"
        end = {"choices": [{"index": 0, "delta": {}, "finish_reason": "stop"}], "model": "test-model",
               "usage": {"prompt_tokens": 100, "completion_tokens": 10}}  # fmt: skip
        yield f"data: {json.dumps(end)}\n\ndata: [DONE]\n\n"


def refused(status: int, message: str = "no", **headers: str) -> Response:
    """Return an error as providers send it."""
    return JSONResponse({"error": {"message": message}}, status_code=status, headers=headers)


@contextlib.contextmanager
def model_server(delay: float = 0.0) -> Iterator[ModelServer]:
    """Run a model server in a thread."""
    model = ModelServer(delay)
    config = uvicorn.Config(
        model.app(), host="127.0.0.1", port=model.port, log_level="error", timeout_graceful_shutdown=1, lifespan="off"
    )
    server = uvicorn.Server(config)
    thread = threading.Thread(target=server.run, daemon=True)
    thread.start()
    while not server.started:
        threading.Event().wait(0.02)
    try:
        yield model
    finally:
        server.should_exit = server.force_exit = True
        thread.join(5)
