"""The request to a model and its completion, and the port of models."""

from dataclasses import dataclass, replace
from typing import Any, Literal, Protocol

from core.manifests import Role

SHOWN_AGAIN_CHARS = 20_000
"""How much of an answer a model is shown when it is asked again."""
Task = Literal["reasoning", "code", "ui", "text", "embedding"]


@dataclass(frozen=True)
class Message:
    """One message of a chat with a model."""

    speaker: Literal["user", "assistant"]
    text: str


@dataclass(frozen=True)
class Image:
    """A picture that a model is shown; `content` is base64."""

    media_type: str
    content: str


@dataclass(frozen=True)
class ChatRequest:
    """
    One call: `system` and `messages` in order, the last one from the user.

    `schema` is the JSON schema that the answer must fit; None asks for text with fenced blocks. `variant` names the
    wording of the role's prompt. `images` belong to the first message.
    """

    role: Role
    task: Task
    system: str
    messages: tuple[Message, ...]
    schema: dict[str, Any] | None = None
    variant: str = "default"
    max_output_tokens: int = 16_000
    images: tuple[Image, ...] = ()


def asked_again(request: ChatRequest, answer: str, said: str, *, cut_off: bool = False) -> ChatRequest:
    """
    Return a request that follows an answer which cannot be used; `said` is why. One that was cut off gets more room.

    An empty answer is not repeated: providers refuse empty messages, and two in a row of one speaker.
    """
    size = request.max_output_tokens * (2 if cut_off else 1)
    if answer.strip():
        messages = (*request.messages, Message("assistant", answer[:SHOWN_AGAIN_CHARS]), Message("user", said))
    else:
        *before, last = request.messages
        messages = (*before, replace(last, text=f"{last.text}\n\n{said}"))
    return replace(request, messages=messages, max_output_tokens=size)


@dataclass(frozen=True)
class Usage:
    """What calls have cost; adds up."""

    input_tokens: int = 0
    output_tokens: int = 0
    cost_usd: float = 0.0

    def __add__(self, other: "Usage") -> "Usage":
        return Usage(
            self.input_tokens + other.input_tokens,
            self.output_tokens + other.output_tokens,
            self.cost_usd + other.cost_usd,
        )


@dataclass(frozen=True)
class Completion:
    """
    A model's answer.

    `complete` is False when the provider cut it at the token limit, `blind` True when it saw no image, `paid` True when it
    is an answer from before whose usage is counted already.
    """

    text: str
    model: str
    usage: Usage = Usage()
    complete: bool = True
    blind: bool = False
    paid: bool = False


class LanguageModel(Protocol):
    """A model that answers chat requests. `name` is what the reply calls it."""

    name: str

    async def complete(self, request: ChatRequest) -> Completion:
        """
        Return the answer to `request`.

        Raises:
            ProviderError: the provider refused, broke off or did not answer in time.
        """
        ...
