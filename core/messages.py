"""What a turn is asked, what it answers, and what is shown while it runs. All of it is data that fits into JSON."""

from dataclasses import dataclass, field
from typing import Literal

from core.findings import CheckResult
from core.llm.chat import Usage
from core.sessions import Author

Outcome = Literal["done", "unverified", "blocked", "asked", "stopped", "dropped", "withdrawn", "over_budget", "failed"]
"""
How a turn ends. Three of these are the word of people: `stopped` was begun, or was next, and can be gone on with; `dropped`
stood in line behind what was stopped; `withdrawn` was taken back by who asked for it. The last two are never done.
"""
TurnKind = Literal["message", "undo", "redo", "aside", "query"]


@dataclass(frozen=True)
class Attachment:
    """A file that somebody dropped into a thread; `size` in bytes, `ref` is what its platform needs to fetch it."""

    name: str
    media_type: str
    size: int
    ref: str


@dataclass(frozen=True)
class Signal:
    """
    What people say to a turn: stop it, take another message into account, or leave one out that was taken back.

    `said` is the key of the message in the transcript; a steer with that of an earlier one takes its place. `text` of a stop
    is what is left undone with it.
    """

    kind: Literal["stop", "steer", "withdraw"]
    author: Author
    text: str = ""
    said: str = ""


@dataclass(frozen=True)
class TurnRequest:
    """
    One person's message, or their wish to undo or redo the turn `target`.

    An `aside` is a question beside the work, a `query` asks the bot itself (`text` is the verb); neither changes the app.
    `link` leads back to the message. `resumes` names a stopped turn whose finished work is used again.
    `base` is a commit to work from instead of the head; where later commits changed the same lines, this turn's count.
    `helpers` have a part in it beside its author: who let somebody's stopped turn go on, say. `about` is what the models
    should know beside the text, and people need not read. `said` is the key of the message that asks for it, where that is not
    its own; `added` is what was said to the turn that it goes on with. `beyond` says that every turn after the target is meant.
    """

    turn_id: str
    session_id: str
    kind: TurnKind
    text: str
    author: Author
    link: str = ""
    target: str = ""
    files: tuple[Attachment, ...] = ()
    resumes: str = ""
    base: str = ""
    helpers: tuple[Author, ...] = ()
    about: str = ""
    said: str = ""
    added: tuple[Signal, ...] = ()
    beyond: bool = False

    @property
    def message(self) -> str:
        """Return the key of the message that asks for it, in the transcript."""
        return self.said or f"{self.turn_id}:person"

    @property
    def beside(self) -> bool:
        """Say whether it changes nothing, and so waits for no other turn."""
        return self.kind in ("aside", "query")


@dataclass(frozen=True)
class FileChange:
    """One file of a diff; `old_path` differs from `path` only for a rename."""

    path: str
    status: Literal["added", "changed", "removed", "renamed"]
    added: int
    removed: int
    old_path: str = ""


@dataclass(frozen=True)
class PreviewState:
    """
    One running instance of one commit, or why there is none. `state` is ready, sleeping, failed or off.

    `screenshot`, `phone` and `before` name pictures: at desktop and phone width, and of the version before where it
    looked different. `problems` are what the page wrote as errors, and its requests that came to nothing.
    """

    state: Literal["ready", "sleeping", "failed", "off"]
    url: str = ""
    commit: str = ""
    note: str = ""
    http_status: int = 0
    screenshot: str = ""
    runtime: str = ""
    title: str = ""
    phone: str = ""
    before: str = ""
    problems: tuple[str, ...] = ()


@dataclass(frozen=True)
class TurnResult:
    """
    The whole outcome of one turn; `message` is the sentence for people, `notes` what else they should know.

    `options` are answers to a question, of which people can pick one; `context` is how full the model's fullest request
    was, from 0 to 1. `edits` counts how the model's answers were applied: "model | form | tier", or the reason of a refusal.
    `clashed` says that it was kept out because somebody changed the same lines of `parent` meanwhile; `target` is the turn
    that an undo or a redo meant. `kept` is the commit
    beside the history that has what was written and not taken into the app; then `files` are those of it. `left_out` is what
    was asked for and not done, in the person's words: then the outcome is no more than `unverified`. `sides` are both sides of
    a clash, for the model that reconciles them. `reverses` says whether it took a turn back or brought one back.
    """

    turn_id: str
    outcome: Outcome
    message: str
    commit: str = ""
    parent: str = ""
    files: tuple[FileChange, ...] = ()
    checks: tuple[CheckResult, ...] = ()
    preview: PreviewState = PreviewState("off")
    usage: Usage = Usage()
    model: str = ""
    notes: tuple[str, ...] = ()
    seconds: float = 0.0
    error_id: str = ""
    options: tuple[str, ...] = ()
    context: float = 0.0
    edits: dict[str, int] = field(default_factory=dict)
    clashed: bool = False
    target: str = ""
    kept: str = ""
    left_out: tuple[str, ...] = ()
    sides: str = ""
    reverses: Literal["", "undo", "redo"] = ""


@dataclass(frozen=True)
class Progress:
    """The state of a running turn, whole each time: the latest one wins. `goes_on` adds to what was done so far."""

    step: str
    done: tuple[str, ...] = ()
    files: tuple[str, ...] = ()
    usage: Usage = Usage()
    goes_on: bool = False


@dataclass(frozen=True)
class Para:
    """Plain text; line breaks count."""

    text: str
    type: Literal["para"] = "para"


@dataclass(frozen=True)
class Quote:
    """What a person said, shown as their words: nothing in it looks like the bot's own, or leads anywhere."""

    text: str
    type: Literal["quote"] = "quote"


@dataclass(frozen=True)
class Files:
    """The changed files, and where to see the whole diff; `kept` are those that were not taken into the app."""

    files: tuple[FileChange, ...]
    commit: str
    kept: bool = False
    type: Literal["files"] = "files"


@dataclass(frozen=True)
class DiffText:
    """A unified diff, shortened for the chat."""

    text: str
    type: Literal["diff"] = "diff"


@dataclass(frozen=True)
class Enclosed:
    """A file that is made from a commit when the message is delivered: its diff, or a ZIP of the app."""

    kind: Literal["diff", "export"]
    commit: str
    type: Literal["enclosed"] = "enclosed"


@dataclass(frozen=True)
class ChecksTable:
    """The evidence of a turn: every check, the receipt's `lines` if there is one, and where the whole receipt is."""

    checks: tuple[CheckResult, ...]
    lines: tuple[str, ...] = ()
    url: str = ""
    type: Literal["checks"] = "checks"


@dataclass(frozen=True)
class PreviewCard:
    """The preview of the commit."""

    preview: PreviewState
    type: Literal["preview"] = "preview"


@dataclass(frozen=True)
class ProgressCard:
    """A turn that is still running, for `seconds` so far, or `over`."""

    progress: Progress
    seconds: float = 0.0
    over: bool = False
    type: Literal["progress"] = "progress"


@dataclass(frozen=True)
class Footer:
    """The last, small line: model, cost, time."""

    text: str
    type: Literal["footer"] = "footer"


Block = Para | Quote | Files | DiffText | Enclosed | ChecksTable | PreviewCard | ProgressCard | Footer


@dataclass(frozen=True)
class Action:
    """A button: its verb, as in the commands, and what it applies to ('' is the message's own turn)."""

    verb: str
    target: str = ""


@dataclass(frozen=True)
class Doc:
    """A message of the bot, in no platform's terms. `mark` is the outcome, empty while it runs; `actions` can be asked for."""

    blocks: tuple[Block, ...]
    mark: str = ""
    actions: tuple[Action, ...] = ()
