"""
The errors of the product.

BotError
├── UserError          the person can fix it; the text goes to the chat as it is
├── OutsideError       the world failed; `retryable` says whether the same call may go through later
│   └── ProviderError  a model's provider answered with an error, or not at all
├── HeadMoved          somebody else committed between read and write; read again
└── BudgetExceeded     the turn's budget is spent; says which

Everything else is a bug: it is logged with an id, and the chat sees the id and one plain sentence.
An answer of a model that cannot be used is data (`core.edits.Refusal`, `core.findings.Finding`), not an error.
"""


class BotError(Exception):
    """Base of all errors that the product raises on purpose."""


class UserError(BotError):
    """A person can fix this; `str(error)` is one or two sentences made for them."""


class OutsideError(BotError):
    """Something outside the bot failed: a database, a daemon, a disk, the network."""

    def __init__(self, message: str, retryable: bool = False) -> None:
        super().__init__(message, retryable)
        self.message = message
        self.retryable = retryable

    def __str__(self) -> str:
        return self.message


class ProviderError(OutsideError):
    """A model's provider failed: no answer in time, a refusal, a broken stream."""


class HeadMoved(BotError):
    """The branch no longer points where the writer read it."""


class BudgetExceeded(BotError):
    """The turn has spent its tokens, money or seconds; `str(error)` names the limit and how to go on."""
