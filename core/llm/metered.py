"""Count what a turn spends, and stop it at its budget."""

from dataclasses import dataclass, replace

from core.errors import BudgetExceeded
from core.llm.chat import ChatRequest, Completion, LanguageModel, Usage
from core.llm.reasoning import without_reasoning


@dataclass(frozen=True)
class Budget:
    """The limits of one turn: tokens in and out together, US dollars, and calls."""

    tokens: int = 2_000_000
    cost_usd: float = 5.0
    calls: int = 300
    context: int = 128_000
    """Tokens that fit into one request; nothing is stopped by it, replies say how full the fullest was."""


class MeteredModel:
    """A LanguageModel that adds up the usage of one turn and refuses the call after the budget is spent."""

    def __init__(self, model: LanguageModel, budget: Budget) -> None:
        self._model, self._budget = model, budget
        self.name = model.name
        self.usage = Usage()
        self.calls = 0
        self.models: set[str] = set()
        self.context = 0.0
        """How full the fullest request was, from 0 to 1."""
        self.blind = False
        """Whether there were pictures that the model could not look at."""

    async def complete(self, request: ChatRequest) -> Completion:
        """
        Pass the call on.

        Raises:
            BudgetExceeded: the turn has spent its budget.
        """
        spent = self.usage.input_tokens + self.usage.output_tokens
        if spent >= self._budget.tokens:
            raise BudgetExceeded(
                f"This turn has used its {self._budget.tokens:,} tokens. Say how to go on, in smaller steps."
            )
        if self._budget.cost_usd and self.usage.cost_usd >= self._budget.cost_usd:
            raise BudgetExceeded(
                f"This turn has used its ${self._budget.cost_usd:.2f}. Say how to go on, in smaller steps."
            )
        if self.calls >= self._budget.calls:
            raise BudgetExceeded(
                f"This turn has used its {self._budget.calls} model calls. Say how to go on, in smaller steps."
            )
        self.calls += 1
        completion = await self._model.complete(request)
        if completion.paid:
            self.calls -= 1
        else:
            self.usage += completion.usage
        self.models.add(completion.model)
        self.blind = self.blind or completion.blind
        self.context = max(self.context, completion.usage.input_tokens / self._budget.context)
        return replace(completion, text=without_reasoning(completion.text))
