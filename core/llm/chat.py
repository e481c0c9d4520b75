"""The request to a model and its completion."""

from dataclasses import dataclass
from typing import Any, Literal

from core.manifests import Role

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
