"""What is special about each provider; one adapter speaks to all of them."""

from dataclasses import dataclass
from typing import Literal

Rung = Literal["json_schema", "json_object", "text"]
SizeKey = Literal["max_tokens", "max_completion_tokens"]


@dataclass(frozen=True)
class ProviderProfile:
    """
    One vendor endpoint that speaks the OpenAI chat protocol.

    `rungs` are the ways to ask for a structured answer, best first; a provider that refuses one is asked by the next.
    `size_key` is how the most tokens of an answer are called; where that name is refused, the other one is tried.
    """

    name: str
    base_url: str
    model: str
    rungs: tuple[Rung, ...] = ("json_schema", "json_object", "text")
    size_key: SizeKey = "max_tokens"


# Default models change with the market; THREADWRIGHT_MODEL_NAME overrides them.
PROFILES = {
    "openrouter": ProviderProfile("openrouter", "https://openrouter.ai/api/v1", "openai/gpt-5"),
    "groq": ProviderProfile("groq", "https://api.groq.com/openai/v1", "openai/gpt-oss-120b"),
    "cerebras": ProviderProfile("cerebras", "https://api.cerebras.ai/v1", "gpt-oss-120b"),
    "deepseek": ProviderProfile("deepseek", "https://api.deepseek.com", "deepseek-chat", ("json_object", "text")),
    "gemini": ProviderProfile(
        "gemini", "https://generativelanguage.googleapis.com/v1beta/openai", "gemini-2.5-pro", ("json_object", "text")
    ),
    "openai": ProviderProfile("openai", "https://api.openai.com/v1", "gpt-5", size_key="max_completion_tokens"),
}
