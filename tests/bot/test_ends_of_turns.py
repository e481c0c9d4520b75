"""Whatever people say, correct, delete, stop, undo and continue: nothing taken back is done, and nothing said is lost."""

import asyncio
import re
import shutil
import tempfile
from collections.abc import Awaitable, Callable
from contextlib import AsyncExitStack
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Any, TypeVar, cast

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from adapters.engine.dbos import DbosEngine
from adapters.llm.scripted import ScriptedModel
from adapters.memory.text import TextMemory
from adapters.store.database import Database, make_engine
from adapters.store.migrate import upgrade
from adapters.store.threads import ThreadRows
from adapters.store.turns import Turns
from adapters.vfs.git import GitRepository
from bot.progress import ProgressBoard
from bot.turns import TurnRunner
from core.chat import Accepted, Event
from core.errors import OutsideError
from core.messages import Para, Signal
from core.sessions import Author, Session, ThreadKey
from core.steering import up_to_stop
from core.thread.intake import Intake
from core.turn import Proposal, TurnPorts
from tests.core.test_turn import StillChecks, StillPreview

Value = TypeVar("Value")
ANN = Author("U1", "Ann")
KEY = ThreadKey("talk", "w", "c", "t")


class Engine(DbosEngine):
    """Works on a turn when the test says so, and takes what is said to a turn as the real one does."""

    def __init__(self, database: Database, turns: Turns) -> None:
        super().__init__(database, turns)
        self.submitted: list[str] = []

    async def submit(self, tx: Any, turn_id: str) -> None:
        self.submitted.append(turn_id)


@dataclass
class Steps:
    """The steps of a running turn. At its work it waits for the test's word: “hear”, “done”, “build”, “fail”."""

    database: Database
    turns: Turns
    repository: GitRepository
    session_id: str
    turn_id: str
    heard: int = 0
    attempts: list[str] = field(default_factory=list)
    words: asyncio.Queue[str] = field(default_factory=asyncio.Queue)
    at_work: asyncio.Event = field(default_factory=asyncio.Event)

    async def step(self, name: str, work: Callable[[], Awaitable[Value]], kind: type[Value]) -> Value:
        if name != "propose":
            return await work()
        return cast("Value", await self._proposed(work, hears=False))

    async def interruptible(
        self, name: str, work: Callable[[], Awaitable[Value]], kind: type[Value]
    ) -> Value | list[Signal]:
        return cast("Value | list[Signal]", await self._proposed(work, hears=True))

    async def _proposed(self, work: Any, hears: bool) -> Any:
        if hears and (told := await self._told()):
            return told
        self.attempts.append(cast("partial[Any]", work).args[0])
        while True:
            self.at_work.set()
            word = await self.words.get()
            if word == "fail":
                raise OutsideError("The provider is away.", retryable=True)
            if word == "done":
                return Proposal("done", "That is it.")
            if word == "build":
                head = await self.repository.head(self.session_id)
                return Proposal(None, "Built.", parent=head, changes={f"{self.turn_id}.txt": self.attempts[-1]})
            if hears and (told := await self._told()):
                return told

    async def _told(self) -> list[Signal]:
        async with self.database.read() as connection:
            told = up_to_stop(await self.turns.told(connection, self.turn_id, self.heard))
        self.heard = told[-1][0] if told else self.heard
        return [signal for _, signal in told]

    async def transaction(self, name: str, work: Callable[[Any], Awaitable[Value]], kind: type[Value]) -> Value:
        async with self.database.write() as tx:
            return await work(tx)


@dataclass
class Wish:
    """One message: its words, and what became of it as its author sees it."""

    number: str
    text: str
    taken_back: list[str] = field(default_factory=list)
    """Words that were taken back, by deletion or by a correction."""
    removed: bool = False


@dataclass
class Thread:
    """One thread, with everything in it real but the engine's pace and the models' answers."""

    database: Database
    intake: Intake
    runner: TurnRunner
    engine: Engine
    session: Session
    count: int = 0
    wishes: list[Wish] = field(default_factory=list)
    steps: Steps | None = None
    task: asyncio.Task[None] | None = None
    done: list[str] = field(default_factory=list)
    """The requests that were carried out."""
    begun: list[str] = field(default_factory=list)
    """What the attempts of all turns were asked, in order."""

    async def event(self, kind: Any, text: str, number: str = "", target: str = "") -> Accepted:
        self.count += 1
        return await self.intake.accept(
            Event(
                f"e{self.count}", KEY, ANN, kind, text=text, remote_id=number, target=target, mentioned=True,
                begins=True, at=float(self.count),
            )
        )  # fmt: skip

    async def say(self, tail: str = "") -> None:
        wish = Wish(f"m{self.count}", f"wish{self.count}a")
        self.wishes.append(wish)
        await self.event("message", f"Make {wish.text}{tail}", wish.number)

    async def word(self, text: str) -> None:
        await self.event("message", text, f"m{self.count}")

    async def edit(self, at: int) -> None:
        if self.wishes and not (wish := self.wishes[at % len(self.wishes)]).text.endswith("deleted"):
            wish.taken_back.append(wish.text)
            wish.text = f"wish{self.count}a"
            await self.event("edited", f"Make {wish.text}", wish.number)
            self.taken(wish.taken_back[-1])

    async def delete(self, at: int) -> None:
        if self.wishes and not (wish := self.wishes[at % len(self.wishes)]).text.endswith("deleted"):
            wish.taken_back.append(wish.text)
            own = [wish.text, *wish.taken_back]
            wish.text += "deleted"
            await self.event("deleted", "", wish.number)
            self.taken(wish.taken_back[-1])
            # Of what has begun a deletion is only noted, also of a correction.
            if self.steps and self.steps.attempts and any(one in self.steps.attempts[0] for one in own):
                self.gone[wish.taken_back[-1]] = self.steps.turn_id

    def taken(self, words: str) -> None:
        """From now on no attempt may ask for these words, but of the turn that has begun with them."""
        own = bool(self.steps) and words in self.steps.attempts[0] if self.steps and self.steps.attempts else False
        self.gone[words] = self.steps.turn_id if own and self.steps else ""

    gone: dict[str, str] = field(default_factory=dict)

    async def remove(self, at: int) -> None:
        """Press “Remove” on a card of the queue."""
        async with self.database.read() as connection:
            waiting = [
                one for one, runs in await self.runner.threads.turns.waiting(connection, self.session.id) if not runs
            ]
        if waiting:
            request = waiting[at % len(waiting)]
            mine = [
                one for one in self.wishes if one.text in request.text.split() or f"Make {one.text}" in request.text
            ]
            await self.event("command", "drop", target=request.turn_id)
            for wish in mine:
                wish.removed = True
                self.taken(wish.text)

    async def stop(self) -> None:
        """Stop: what waits behind the first is taken back, and what runs may be gone on with."""
        async with self.database.read() as connection:
            waiting = await self.runner.threads.turns.waiting(connection, self.session.id)
        await self.word("stop")
        runs = any(running for _, running in waiting)
        for request in [one for one, running in waiting if not running][0 if runs else 1 :]:
            # What goes on with a stopped turn leaves that as it was.
            for text in re.findall(r"wish\d+a", request.text) if not request.resumes else ():
                if not self.steps or not any(text in one for one in self.steps.attempts):
                    self.taken(text)

    async def begin(self) -> None:
        """Let the engine start what it was given."""
        if self.task is not None or not self.engine.submitted:
            return
        turn_id = self.engine.submitted.pop(0)
        self.steps = Steps(self.database, self.runner.threads.turns, self.runner.repository, self.session.id, turn_id)
        self.task = asyncio.create_task(self.runner.run(turn_id, cast("Any", self.steps)))
        await self._settled(0)

    async def tick(self, word: str) -> None:
        """Let the running turn hear what was said, end, or fail."""
        if self.task is None or self.steps is None:
            await self.begin()
            return
        before = len(self.steps.attempts)
        self.steps.at_work.clear()
        self.steps.words.put_nowait(word)
        await self._settled(before)
        if word == "done" and self.task is None:
            self.done.append(self.last)

    async def _settled(self, before: int) -> None:
        assert self.task is not None
        assert self.steps is not None
        waiting = asyncio.ensure_future(self.steps.at_work.wait())
        await asyncio.wait({self.task, waiting}, return_when=asyncio.FIRST_COMPLETED, timeout=20)
        waiting.cancel()
        for asked in self.steps.attempts[before:]:
            self.begun.append(asked)
            for words, allowed in self.gone.items():
                assert words not in asked or self.steps.turn_id == allowed, f"{words} was taken back: {asked}"
        if self.task.done():
            self.task.result()
            await self._built()
            self.last = self.steps.attempts[-1] if self.steps.attempts else ""
            self.task = self.steps = None

    files: frozenset[str] = frozenset()
    undone: set[str] = field(default_factory=set)

    async def _built(self) -> None:
        """Check what the turn that has just ended did to the app: its own, one taken back, one brought back, or nothing."""
        assert self.steps is not None
        head = await self.runner.repository.head(self.session.id)
        files = frozenset(await self.runner.repository.tree(self.session.id, head) if head else ())
        come, gone = files - self.files, self.files - files
        kind = (await self.runner.threads.turns.request(self.steps.turn_id)).kind
        if kind == "undo":
            assert (len(come), len(gone) <= 1) == (0, True), (come, gone)
            self.undone |= gone
        elif kind == "redo":
            assert (len(gone), len(come) <= 1, come <= self.undone) == (0, True, True), (come, gone)
            self.undone -= come
        else:
            assert (len(gone), come <= {f"{self.steps.turn_id}.txt"}) == (0, True), (come, gone)
        self.files = files

    async def finish(self) -> None:
        for _ in range(200):
            if self.task is None and not self.engine.submitted:
                return
            await (self.tick("done") if self.task else self.begin())
        raise AssertionError("the thread never comes to rest")

    async def noted(self) -> str:
        """Return all that the bot has said."""
        said = [
            one for one in await self.runner.threads.messages.since(self.session.id) if one.kind in ("notice", "reply")
        ]
        return "\n".join(block.text for one in said for block in one.doc.blocks if isinstance(block, Para))


WORDS = (
    "say",
    "say",
    "queue",
    "edit",
    "delete",
    "remove",
    "stop",
    "undo",
    "redo",
    "continue",
    "begin",
    "hear",
    "hear",
    "done",
    "fail",
    "build",
    "build",
    "undo",
    "redo",
)
MOVES = st.lists(st.tuples(st.sampled_from(WORDS), st.integers(0, 5)), min_size=4, max_size=16)


async def played(thread: Thread, moves: list[tuple[str, int]]) -> None:
    for what, at in moves:
        if what == "say":
            await thread.say()
        elif what == "queue":
            await thread.say(". queue")
        elif what in ("edit", "delete", "remove"):
            await getattr(thread, what)(at)
        elif what == "stop":
            await thread.stop()
        elif what in ("undo", "redo", "continue"):
            await thread.word(what)
        elif what == "begin":
            await thread.begin()
        else:
            await thread.tick(what)
    await thread.finish()


@pytest.fixture(scope="module")
def template(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("ends") / "store.db"
    asyncio.run(upgrade(f"sqlite+aiosqlite:///{path}"))
    return path


async def opened_thread(stack: AsyncExitStack, folder: Path, key: ThreadKey = KEY) -> Thread:
    url = f"sqlite+aiosqlite:///{folder}/store.db"
    database = Database(make_engine(url), url)
    stack.push_async_callback(database.close)
    engine = Engine(database, Turns(database))
    threads = ThreadRows(database, engine)
    board = ProgressBoard(database, threads.messages, threads.sessions)
    repository = GitRepository(database, folder / "git")
    ports = TurnPorts(
        ScriptedModel({}), repository, StillChecks(), StillPreview(), TextMemory(database), lambda _: None
    )
    runner = TurnRunner(threads, repository, board, ports)
    async with database.write() as tx:
        session = await threads.sessions.open(tx, key, "Thread")
        await threads.people.put(tx, session.id, ANN, "owner")
    return Thread(database, Intake(threads), runner, engine, session)


async def story(template: Path, moves: list[tuple[str, int]]) -> Thread:
    """Play the moves in a thread, and check what must hold after any."""
    async with AsyncExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory()))
        shutil.copy(template, folder / "store.db")
        thread = await opened_thread(stack, folder)
        await played(thread, moves)
        done, noted = "\n".join(thread.begun), await thread.noted()
        for wish in thread.wishes:
            gone = wish.removed or wish.text.endswith("deleted")
            assert gone or wish.text in done + noted, f"{wish} was lost"
        return thread


@settings(max_examples=100, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(MOVES)
def test_nothing_taken_back_is_done_and_nothing_said_is_lost(template: Path, moves: list[tuple[str, int]]) -> None:
    asyncio.run(story(template, moves))


def test_what_was_built_is_taken_back_and_brought_back_one_by_one(template: Path) -> None:
    said = [("say", 0), ("begin", 0), ("build", 0)] * 2
    for words, left in (
        (["undo"], 1),
        (["undo", "undo"], 0),
        (["undo", "undo", "redo"], 1),
        (["undo", "redo"], 2),
        (["redo"], 2),
    ):
        moves = [*said, *(move for word in words for move in ((word, 0), ("begin", 0)))]
        assert len(asyncio.run(story(template, moves)).files) == left, words
