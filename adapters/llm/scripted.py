"""A LanguageModel that answers from a script: for tests, documentation and demonstrations."""

import asyncio
from collections.abc import Callable, Mapping, Sequence

from core.llm.chat import ChatRequest, Completion, Usage
from core.manifests import Role

Answer = str | Exception | Callable[[ChatRequest], str]


class ScriptedModel:
    """
    Answers each role from its own list, in order; the last answer of a list repeats.

    An answer is a text, an exception to raise, or a function of the request. `delay` is in seconds per call, `blind` says that it
    does not look at pictures.
    """

    name = "scripted"

    def __init__(
        self,
        answers: Mapping[Role, Sequence[Answer]],
        *,
        delay: float = 0.0,
        usage: Usage = Usage(),
        blind: bool = False,
    ) -> None:
        self._answers = {role: list(script) for role, script in answers.items()}
        self._delay, self._usage, self._blind = delay, usage, blind
        self.requests: list[ChatRequest] = []

    async def complete(self, request: ChatRequest) -> Completion:
        """Return the role's next answer."""
        self.requests.append(request)
        if self._delay:
            await asyncio.sleep(self._delay)
        script = self._answers[request.role]
        answer = script.pop(0) if len(script) > 1 else script[0]
        if isinstance(answer, Exception):
            raise answer
        text = answer if isinstance(answer, str) else answer(request)
        return Completion(text, self.name, self._usage, blind=self._blind and bool(request.images))
