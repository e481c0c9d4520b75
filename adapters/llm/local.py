"""
Models that run on this machine: Ollama, LM Studio and llama.cpp are found by themselves.

Each answers `GET /v1/models` in OpenAI's form on a port of its own (Ollama's documentation, `OLLAMA_HOST`; LM Studio's and
llama.cpp's server documentation, November 2026).
"""

import asyncio
import os
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import httpx

LOOK_SECONDS = 0.7
PLACES = (("Ollama", "127.0.0.1:11434"), ("LM Studio", "127.0.0.1:1234"), ("llama.cpp", "127.0.0.1:8080"))
"""Servers and where they listen unless told otherwise."""
OF_CODE, NO_CHAT = ("coder", "code", "devstral", "starcoder"), ("embed", "bge-", "rerank", "whisper", "tts")


@dataclass(frozen=True)
class LocalModel:
    """A model that a server on this machine offers, and how the bot is told to use it."""

    server: str
    base_url: str
    name: str

    @property
    def offer(self) -> str:
        """Return what to set to use it."""
        return (
            f"to use {self.name} from {self.server} on this machine, set "
            f"THREADWRIGHT_MODEL_BASE_URL={self.base_url} and THREADWRIGHT_MODEL_NAME={self.name}"
        )


async def local_models(places: Sequence[tuple[str, str]] = PLACES) -> list[LocalModel]:
    """Return what the servers on this machine offer, the best for code of each; none where nothing answers at once."""
    places = [(name, os.environ.get("OLLAMA_HOST", "") or at if name == "Ollama" else at) for name, at in places]
    async with httpx.AsyncClient(timeout=LOOK_SECONDS, trust_env=False) as client:
        found = await asyncio.gather(*(_asked(client, name, _reachable(at)) for name, at in places))
    return [one for one in found if one is not None]


def _reachable(address: str) -> str:
    """Return an address as one to connect to: a server may say that it listens on all."""
    address = address.removeprefix("http://").rstrip("/").replace("0.0.0.0", "127.0.0.1")  # noqa: S104 - it is read, not bound
    return address if ":" in address else f"{address}:11434"


async def _asked(client: httpx.AsyncClient, server: str, address: str) -> LocalModel | None:
    base = f"http://{address}/v1"
    try:
        answer: Any = (await client.get(f"{base}/models")).raise_for_status().json()
        offered = [(str(one["id"]), str(one.get("owned_by", ""))) for one in answer["data"]]
    except (httpx.HTTPError, httpx.InvalidURL, ValueError, KeyError, TypeError, AttributeError, RecursionError):
        return None
    # Many programs listen on 8080.
    names = [name for name, owner in offered if server != "llama.cpp" or "llama" in owner.casefold()]
    chat = [name for name in names if not any(part in name.casefold() for part in NO_CHAT)]
    best = sorted(chat, key=lambda name: not any(part in name.casefold() for part in OF_CODE))
    return LocalModel(server, base, best[0]) if best else None
