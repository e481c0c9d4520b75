"""Several people in one thread, through the whole bot: what is meant for it, what is not, and what becomes of each."""

import asyncio
import subprocess
import time
from collections.abc import AsyncIterator, Sequence
from contextlib import AsyncExitStack
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Literal

import pytest

from adapters.store.outbox import Delivery, Outbox
from adapters.store.tables import approval
from bot.app import App
from bot.catchup import CatchUp
from bot.settings import Settings
from bot.wiring import opened
from core.chat import Accepted, Event, Past
from core.messages import Attachment, Footer, Para, ProgressCard, TurnResult
from core.sessions import Author, Session, ThreadKey
from core.thread.approvals import HELD_SECONDS
from core.thread.transcript import Message
from tests.servers.fake_chat import FakePort
from tests.servers.model import ModelServer, model_server
from tests.servers.process import seeded

KEY = ThreadKey("talk", "w", "c", "t")
ANN, BEN = Author("U1", "Ann"), Author("U2", "Ben")
PAGE = "Make a landing page for a bicycle workshop called Spoke & Chain"


@dataclass
class Room:
    """A thread of a platform that shows nothing; everything before and behind that is real."""

    app: App
    model: ModelServer
    count: int = 0

    async def say(
        self,
        who: Author,
        text: str,
        *,
        mentioned: bool = False,
        files: Sequence[Attachment] = (),
        edits: str = "",
        people: Sequence[Author] = (),
    ) -> Accepted:
        """Say something, or edit an earlier message so that it says this."""
        self.count += 1
        number = edits or f"m{self.count}"
        return await self.app.intake.accept(
            Event(
                f"e{self.count}", KEY, who, "edited" if edits else "message", text=text, remote_id=number,
                mentioned=mentioned, begins=mentioned, files=tuple(files), people=tuple(people), at=time.time(),
            )
        )  # fmt: skip

    async def press(self, who: Author, verb: str, target: str) -> Accepted:
        self.count += 1
        return await self.app.intake.accept(Event(f"e{self.count}", KEY, who, "command", text=verb, target=target))

    async def result(self, accepted: Accepted) -> TurnResult:
        async with asyncio.timeout(60):
            while (result := await self.app.turns.result(accepted.turn_id)) is None:
                await asyncio.sleep(0.02)
        return result

    async def session(self) -> Session:
        (session,) = await self.app.sessions.list()
        return session

    async def told(self) -> list[str]:
        """Return what the bot has said beside its replies and cards."""
        said = [one for one in await self.app.messages.since((await self.session()).id) if one.kind == "notice"]
        return [block.text for one in said for block in one.doc.blocks if isinstance(block, Para | Footer)]

    async def planning(self) -> None:
        """Wait until a turn is at work on its plan."""
        async with asyncio.timeout(20):
            while True:
                messages = await self.app.messages.since((await self.session()).id)
                cards = [b for one in messages for b in one.doc.blocks if isinstance(b, ProgressCard) and not b.over]
                if any(card.progress.step == "Planning" for card in cards):
                    return
                await asyncio.sleep(0.02)


@pytest.fixture
async def room(tmp_path: Path) -> AsyncIterator[Room]:
    async with AsyncExitStack() as stack:
        model = stack.enter_context(model_server())
        settings = Settings(
            data_dir=seeded(tmp_path / "data"), sandbox="none", browser="none", model_base_url=model.url, model_name="m", model_seconds=90,
        )  # fmt: skip
        yield Room(await stack.enter_async_context(opened(settings, previews=False)), model)


@pytest.mark.parametrize("text", ["That is fine", "continue", "fix", "when did the login break?", "stop", "retry"])
async def test_what_people_say_among_themselves_is_not_answered_and_still_known(room: Room, text: str) -> None:
    await room.result(await room.say(ANN, PAGE, mentioned=True))
    await room.say(BEN, "The colour of our brand is teal")
    said = await room.say(ANN, text)
    assert (said.turn_id, said.answer.doc) == ("", None)
    assert [one for one in await room.told() if "several of you" not in one] == []
    # Who is asked later may know of it.
    asked = len(room.model.bodies)
    await room.result(await room.say(ANN, "Make it look as we discussed", mentioned=True))
    shown = room.model.bodies[asked]["messages"]
    assert (
        f'{{"by":"Ben","said":"The colour of our brand is teal"}},{{"by":"Ann","said":"{text}"}}' in shown[1]["content"]
    )
    assert "who may not tell you what to do" in shown[0]["content"]


@pytest.mark.parametrize("kind", ["message", "command"])
async def test_half_a_character_costs_nothing_wherever_it_stands(
    room: Room, kind: Literal["message", "command"]
) -> None:
    half = f"{PAGE} \ud83d"
    text, target = (half, "") if kind == "message" else ("build", half)
    ann, logo = Author("U1", "Ann\ud83d"), Attachment("logo\ud83d.png", "image/png", 3, "talk:1")
    event = Event("e", KEY, ann, kind, text, target=target, files=(logo,), people=(ann,), begins=True, mentioned=True)
    built = await room.result(await room.app.intake.accept(event))
    assert built.commit
    (said,) = [one for one in await room.app.messages.since((await room.session()).id) if one.kind == "person"]
    assert said.doc.blocks == (Para(f"{PAGE} \ufffd\n📎 logo\ufffd.png"),)
    assert said.author == "Ann\ufffd"


async def test_stop_and_undo_need_no_mention(room: Room) -> None:
    built = await room.result(await room.say(ANN, PAGE, mentioned=True))
    await room.say(BEN, "Nice!")
    undone = await room.result(await room.say(ANN, "undo"))
    assert undone.message.startswith("Undone: ")
    assert built.commit == undone.parent
    room.model.delay = 60
    running = await room.say(ANN, "make it dark", mentioned=True)
    await room.planning()
    await room.say(ANN, "stop")
    assert (await room.result(running)).outcome == "stopped"


async def test_a_message_that_is_edited_to_name_the_bot_is_meant_for_it(room: Room) -> None:
    await room.result(await room.say(ANN, PAGE, mentioned=True))
    await room.say(BEN, "Hm")
    await room.say(ANN, "make it darc")
    number = f"m{room.count}"
    assert (await room.say(ANN, "make it dar", edits=number)).turn_id == ""
    assert (await room.result(await room.say(ANN, "make it dark", mentioned=True, edits=number))).commit


async def test_an_edit_of_a_message_that_waits_because_of_its_file_changes_it(room: Room) -> None:
    await room.result(await room.say(ANN, PAGE, mentioned=True))
    room.model.delay = 60
    first = await room.say(ANN, "make it dark")
    await room.planning()
    queued = await room.say(ANN, "Show this lgo", files=[Attachment("logo.png", "image/png", 3, "talk:1")])
    await room.say(ANN, "Show this logo", edits=f"m{room.count}")
    waiting = [(await room.app.turns.request(queued.turn_id)).text, await room.app.turns.result(queued.turn_id)]
    assert waiting == ["Show this logo", None]
    # Without its “. queue” a message does not wait any more: it is said to the turn that runs.
    other = await room.say(ANN, "Add a footer. queue")
    assert (await room.say(ANN, "Add a footer", edits=f"m{room.count}")).turn_id == first.turn_id
    assert (await room.result(other)).outcome == "withdrawn"
    room.model.delay = 0
    await room.say(ANN, "stop")
    stopped = await room.result(first)
    assert (stopped.outcome, stopped.notes[-2:]) == (
        "stopped", ("Stopped with it: “Add a footer”.", "Left undone: “Show this logo”."),
    )  # fmt: skip


async def test_an_edit_of_a_command_that_waits_takes_it_back(room: Room) -> None:
    await room.result(await room.say(ANN, PAGE, mentioned=True))
    room.model.delay = 60
    first = await room.say(ANN, "make it dark")
    await room.planning()
    await room.say(ANN, "stop")
    assert (await room.result(first)).outcome == "stopped"
    running = await room.say(ANN, "make it blue")
    await room.planning()
    again = await room.say(ANN, "continue")
    await room.say(ANN, "never mind", edits=f"m{room.count}")
    assert (await room.result(again)).message == "Removed from the queue."
    await room.say(ANN, "stop")
    assert (await room.result(running)).outcome == "stopped"


async def test_what_is_said_to_a_running_turn_reaches_that_one(room: Room) -> None:
    await room.result(await room.say(ANN, PAGE, mentioned=True))
    await room.say(BEN, "Add a footer. queue", mentioned=True)
    (card,) = [one for one in await room.app.messages.since((await room.session()).id) if one.key.endswith(":approval")]
    guest = next(action.target for action in card.doc.actions if action.verb == "allow")
    room.model.delay = 60
    running = await room.say(ANN, "make it dark", mentioned=True)
    await room.planning()
    assert (await room.press(ANN, "allow", guest)).turn_id == guest
    assert (await room.say(ANN, "and larger letters", mentioned=True)).turn_id == running.turn_id
    await room.say(ANN, "stop")
    assert (await room.result(running)).outcome == "stopped"


async def test_who_lets_a_stopped_turn_go_on_is_named_beside_its_author(room: Room, tmp_path: Path) -> None:
    await room.result(await room.say(ANN, PAGE, mentioned=True))
    await room.say(ANN, "set access everyone")
    room.model.delay = 60
    running = await room.say(ANN, "make it dark", mentioned=True)
    await room.planning()
    await room.say(BEN, "stop", mentioned=True)
    assert (await room.result(running)).outcome == "stopped"
    room.model.delay = 0
    done = await room.result(await room.press(BEN, "continue", running.turn_id))
    assert done.commit
    await room.app.repository.export((await room.session()).id, tmp_path / "clone")
    command = ["git", "-C", str(tmp_path / "clone"), "log", "-1", "--format=%an%n%b"]
    told = subprocess.run(command, capture_output=True, text=True, check=True).stdout
    assert told.startswith("Ann\n")
    assert "Co-authored-by: Ben" in told


async def test_who_is_invited_drives_until_the_invitation_is_taken_back(room: Room) -> None:
    async def card() -> Message:
        """Return the latest card about a guest."""
        messages = await room.app.messages.since((await room.session()).id)
        return [one for one in messages if one.key.endswith(":approval")][-1]

    async def drives(who: Author) -> bool:
        said = await room.say(who, "status", mentioned=True)
        return bool(said.turn_id) or "Nothing is running" in (await room.told())[-1]

    await room.result(await room.say(ANN, PAGE, mentioned=True))
    await room.say(BEN, "make it dark", mentioned=True)
    number = (await card()).key.removesuffix(":approval")
    await room.result(await room.press(ANN, "invite", number))
    assert [one.verb for one in (await card()).doc.actions] == ["uninvite"]
    await room.say(ANN, "status", mentioned=True)
    assert "Invited: Ben." in (await room.told())[-1]
    shown = (await room.app.messages.since((await room.session()).id))[-1]
    assert [one.verb for one in shown.doc.actions] == ["settings"]
    assert await drives(BEN)
    refused = await room.press(BEN, "uninvite", number)
    assert refused.answer.doc is not None
    assert await drives(BEN)
    await room.press(ANN, "uninvite", number)
    assert "took Ben's invitation back" in "".join(b.text for b in (await card()).doc.blocks if isinstance(b, Para))
    await room.say(BEN, "make it blue", mentioned=True)
    assert "would like me to do this" in (await room.told())[-2]
    # By words it goes too, for somebody who has not asked; and a wish is no command.
    await room.say(ANN, "invite <@U3>", mentioned=True, people=[Author("U3", "<Ben>")])
    assert await drives(Author("U3", "<Ben>"))
    assert not await drives(BEN)
    await room.say(ANN, "invite <@U2>", mentioned=True, people=[BEN])
    assert "Ben can now drive this thread" in (await room.told())[-1]
    await room.say(ANN, "uninvite Ben", mentioned=True)
    assert "Ben can no longer drive this thread" in (await room.told())[-1]
    await room.say(ANN, "uninvite nobody", mentioned=True)
    assert "I know nobody called nobody here" in (await room.told())[-1]
    assert (await room.result(await room.say(ANN, "Invite guests by mail", mentioned=True))).outcome


async def test_who_waits_is_told_when_it_comes_nearer(room: Room) -> None:
    async def positions() -> list[str]:
        messages = await room.app.messages.since((await room.session()).id)
        cards = [one for one in messages if one.key.endswith(":queued")]
        return ["".join(b.text for b in one.doc.blocks if isinstance(b, Para)) for one in cards]

    await room.result(await room.say(ANN, PAGE, mentioned=True))
    room.model.delay = 60
    await room.say(ANN, "make it dark")
    await room.planning()
    first = await room.say(ANN, "make it blue. queue")
    for colour in ("red", "green", "orange", "teal"):
        await room.say(ANN, f"make it {colour}. queue")
    assert await positions() == [f"Queued, position {number}." for number in range(1, 6)]
    await room.press(ANN, "drop", first.turn_id)
    # The last one is told when it is nearer: platforms count edits.
    assert (await positions())[1:] == [f"Queued, position {number}." for number in (1, 2, 3, 5)]
    await room.say(ANN, "stop")


async def test_what_is_said_after_a_question_takes_its_buttons(room: Room) -> None:
    await room.result(await room.say(ANN, "Please do something nice for us", mentioned=True))

    async def buttons() -> list[str]:
        (asked,) = [one for one in await room.app.messages.since((await room.session()).id) if "❓" in one.doc.mark]
        return [one.verb for one in asked.doc.actions]

    assert await buttons() == ["answer_1", "answer_2", "answer_3"]
    await room.say(ANN, PAGE)
    assert await buttons() == []


async def test_how_much_is_shown_holds_for_the_whole_channel_where_nobody_chose(room: Room) -> None:
    def event(thread: str, text: str) -> Event:
        room.count += 1
        key = replace(KEY, thread=thread)
        return Event(f"e{room.count}", key, ANN, text=text, remote_id=f"m{room.count}", mentioned=True, begins=True)

    for thread in ("one", "two", "three"):
        await room.app.intake.accept(event(thread, "hello"))
    await room.app.intake.accept(event("two", "set verbosity everything"))
    room.count += 1
    chosen = Event(
        f"e{room.count}",
        replace(KEY, thread="one"),
        ANN,
        "command",
        text="set",
        target="verbosity=answer&scope=channel",
    )
    await room.app.intake.accept(chosen)
    await room.app.intake.accept(event("four", "hello"))
    shown = {one.key.thread: one.verbosity for one in await room.app.sessions.list()}
    assert shown == {"one": "answer", "two": "everything", "three": "answer", "four": "answer"}


async def test_a_guest_whose_words_came_as_a_file_is_asked_for_words(room: Room) -> None:
    await room.result(await room.say(ANN, PAGE, mentioned=True))
    await room.say(BEN, "", mentioned=True, files=[Attachment("message.txt", "text/plain", 3_000, "talk:1")])
    assert "The person who decides has to read your request" in (await room.told())[-1]
    assert not [
        one for one in await room.app.messages.since((await room.session()).id) if one.key.endswith(":approval")
    ]


async def test_what_is_serious_takes_two_people_where_several_have_a_say(room: Room) -> None:
    async def shared() -> str:
        return (await room.session()).sharing

    async def card() -> tuple[str, str]:
        """Return what the latest card for two says, and the id that its buttons carry."""
        messages = await room.app.messages.since((await room.session()).id)
        latest = [one for one in messages if one.key.endswith(":second:approval")][-1]
        return "".join(b.text for b in latest.doc.blocks if isinstance(b, Para)), latest.key.removesuffix(":approval")

    await room.result(await room.say(ANN, PAGE, mentioned=True))
    # Who is alone decides alone.
    await room.say(ANN, "set sharing public")
    assert await shared() == "public"
    await room.say(ANN, "set sharing link")
    await room.say(BEN, "Add a footer", mentioned=True)
    (guest,) = [
        one for one in await room.app.messages.since((await room.session()).id) if one.key.endswith(":approval")
    ]
    await room.result(await room.press(ANN, "invite", guest.key.removesuffix(":approval")))

    await room.say(ANN, "set sharing public", mentioned=True)
    assert await shared() == "link"
    text, number = await card()
    assert text == "Ann wants to open the preview for everyone. Someone else who can decide here must agree."
    for who, verb in ((ANN, "agree"), (ANN, "allow"), (Author("U3", "Cem"), "agree")):
        assert (await room.press(who, verb, number)).answer.doc is not None
        assert await shared() == "link"
    await room.press(BEN, "agree", number)
    assert await shared() == "public"
    assert (await card())[0].startswith("Ann wanted to open the preview for everyone; Ben agreed. (")

    await room.press(ANN, "reset_data", "")
    _, number = await card()
    await room.press(BEN, "refuse", number)
    assert (await card())[0].startswith("Ann wanted to delete everything the running app has stored; Ben said no. (")
    await room.press(BEN, "agree", number)
    assert "Ben agreed" not in (await card())[0]

    # A thumb says the same.
    await room.say(ANN, "reset data", mentioned=True)
    _, number = await card()
    messages = await room.app.messages.since((await room.session()).id)
    message = next(one for one in messages if one.key == f"{number}:approval")
    agreed = await room.app.intake.accept(Event("r1", KEY, BEN, "reaction_added", message_id=message.id, emoji="👍"))
    assert "Ben agreed" in (await card())[0]
    assert (await room.result(agreed)).outcome == "done"
    replies = [one for one in await room.app.messages.since((await room.session()).id) if one.kind == "reply"]
    assert "The app's data has been deleted." in str(replies[-1].doc)


async def test_who_is_alone_is_asked_before_what_is_stored_goes(room: Room) -> None:
    await room.result(await room.say(ANN, PAGE, mentioned=True))
    for accepted in (await room.say(ANN, "reset data"), await room.press(ANN, "reset_data", "")):
        assert accepted.turn_id == ""
        assert "cannot be undone. Shall I? You can also say “reset data yes”." in await shown(room, accepted)
    done = await room.result(await room.say(ANN, "reset data yes"))
    assert done.outcome == "done"


async def shown(room: Room, accepted: Accepted) -> str:
    """Return what an event was answered with, alone or in the thread."""
    messages = await room.app.messages.since((await room.session()).id)
    return f"{accepted.answer.doc} {messages[-1].doc}"


async def test_what_waits_for_too_long_ends_by_itself(room: Room) -> None:
    await room.result(await room.say(ANN, PAGE, mentioned=True))
    await room.say(BEN, "Add a footer", mentioned=True)
    await room.app.intake.lapse(time.time())
    (card,) = [one for one in await room.app.messages.since((await room.session()).id) if one.key.endswith(":approval")]
    assert card.doc.actions
    async with room.app.database.write() as tx:
        await tx.execute(approval.update().values(created=time.time() - HELD_SECONDS - 1))
    await room.app.intake.lapse(time.time())
    assert (await room.told())[-1].startswith("Ben waited too long for an answer, and can ask again. (")
    late = await room.press(ANN, "allow", card.key.removesuffix(":approval"))
    assert late.turn_id == ""
    assert late.answer.doc is not None
    assert "already been decided" in str(late.answer.doc)


async def test_how_much_is_shown_can_be_changed_while_a_turn_runs(room: Room) -> None:
    async def cards() -> int:
        messages = await room.app.messages.since((await room.session()).id)
        return sum(isinstance(block, ProgressCard) for one in messages for block in one.doc.blocks)

    await room.result(await room.say(ANN, PAGE, mentioned=True))
    before = await cards()
    room.model.delay = 3
    running = await room.say(ANN, "make it dark")
    await room.planning()
    assert await cards() == before + 1
    await room.say(ANN, "set verbosity answer")
    await room.result(running)
    assert await cards() == before


async def test_a_reaction_is_taken_for_gone_only_where_all_who_reacted_are_told(room: Room) -> None:
    await room.result(await room.say(ANN, PAGE, mentioned=True))
    changed = await room.result(await room.say(ANN, "make it dark"))
    session = await room.session()
    reply = [one for one in await room.app.messages.since(session.id) if one.kind == "reply"][-1]
    await Outbox(room.app.database).put(reply.id, Delivery("main", "r1", "", 0.0))
    undo = Event("x1", replace(KEY, thread=""), ANN, "reaction_added", remote_id="r1", emoji="↩️", at=time.time())
    assert (await room.result(await room.app.intake.accept(undo))).message.startswith("Undone: ")

    async def looked(past: Past) -> str | None:
        class Platform(FakePort):
            async def history(self, key: ThreadKey, after: str) -> Past:
                return past

        await CatchUp(Platform("talk"), room.app.intake.accept, room.app.threads).run()
        async with asyncio.timeout(30):
            while await room.app.turns.busy():
                await asyncio.sleep(0.02)
        return await room.app.repository.head(session.id)

    undone = await room.app.repository.head(session.id)
    there, some = frozenset({"r1"}), frozenset({("r1", "↩️")})
    assert await looked(Past((replace(undo, id="x2"),), there)) == undone
    assert await looked(Past((), there, partial=some)) == undone
    assert await looked(Past((), frozenset())) == undone
    redone = await looked(Past((), there))
    assert redone != undone
    assert await room.app.repository.tree(session.id, redone) == await room.app.repository.tree(
        session.id, changed.commit
    )


@dataclass
class Away(FakePort):
    """A platform on which something happened while the bot was away."""

    platform: str = "talk"
    past: Past = field(default_factory=Past)

    async def history(self, key: ThreadKey, after: str) -> Past:
        return self.past


async def came_back(room: Room, port: FakePort) -> None:
    await CatchUp(port, room.app.intake.accept, room.app.threads).run()
    async with asyncio.timeout(30):
        while await room.app.turns.busy():
            await asyncio.sleep(0.02)


def written(number: str, text: str, at: float) -> Event:
    return Event(f"gap-{number}", KEY, ANN, text=text, remote_id=number, mentioned=True, begins=True, at=at)


async def test_an_undo_while_the_bot_was_away_takes_back_nothing_that_was_said_meanwhile(room: Room) -> None:
    changed = await room.result(await room.say(ANN, PAGE, mentioned=True))
    await room.result(await room.say(ANN, "make it dark"))
    session = await room.session()
    replies = [one for one in await room.app.messages.since(session.id) if one.kind == "reply"]
    await Outbox(room.app.database).put(replies[-1].id, Delivery("main", "r1", "", 0.0))
    now = time.time()
    undo = Event("x1", replace(KEY, thread=""), ANN, "reaction_added", remote_id="r1", emoji="↩️", at=now)
    said = (written("g0", "Add a pricing section", now), written("g1", "Add a FAQ section", now))
    await came_back(room, Away(past=Past((*said, undo), frozenset({"r1", "g0", "g1"}))))
    tree = await room.app.repository.tree(session.id, await room.app.repository.head(session.id))
    page = tree.text("index.html") or ""
    assert "Pricing" in page
    assert "FAQ" in page
    before = await room.app.repository.tree(session.id, changed.commit)
    assert tree.text("styles.css") == before.text("styles.css")


async def test_a_clock_that_is_ahead_loses_nothing_and_what_was_said_before_the_thread_is_not_for_the_bot(
    room: Room,
) -> None:
    # The clock of this machine is ten minutes ahead of the platform's.
    now = time.time() - 600
    await room.result(await room.app.intake.accept(written("m1", PAGE, now)))
    past = (
        written("m0", "Add a pricing section", now - 60), written("m1", PAGE, now),
        written("m2", "Add a FAQ section", now + 1),
    )  # fmt: skip
    await came_back(room, Away(past=Past(past, frozenset({"m0", "m1", "m2"}))))
    session = await room.session()
    page = (await room.app.repository.tree(session.id, await room.app.repository.head(session.id))).text("index.html")
    assert page is not None
    assert "FAQ" in page
    assert "Pricing" not in page


async def test_who_called_the_bot_before_its_first_thread_is_answered_after_a_crash(room: Room) -> None:
    port = Away()
    await came_back(room, port)
    assert await room.app.sessions.list() == []
    # It dies, and is called meanwhile: no thread was there yet.
    port.said.append(replace(written("m1", PAGE, time.time() + 1), thread=replace(KEY, thread="t1")))
    await came_back(room, Away(said=port.said))
    assert [one.title for one in await room.app.sessions.list()] == ["Spoke & Chain"]
    # What was said long before anybody set the bot up is nobody's wish.
    fresh = Away(
        platform="other",
        said=[replace(written("m2", PAGE, time.time() - 3_600), thread=replace(KEY, platform="other"))],
    )
    await came_back(room, fresh)
    assert len(await room.app.sessions.list()) == 1


@pytest.mark.parametrize("thread", ["t", ""])
async def test_a_thread_that_is_deleted_is_worked_for_no_more_and_one_that_is_asked_for_again_is_new(
    room: Room, thread: str
) -> None:
    await room.result(await room.say(ANN, PAGE, mentioned=True))
    room.model.delay = 60
    running = await room.say(ANN, "make it dark")
    await room.planning()
    for at in range(2):
        await room.app.intake.accept(Event(f"gone{at}", replace(KEY, thread=thread), Author("", ""), "closed"))
    assert (await room.result(running)).outcome == "stopped"
    room.model.delay = 0
    # What people still do to messages that are left is nothing to work on.
    assert (await room.say(ANN, "make it blue", mentioned=True, edits="m1")).turn_id == ""
    again = await room.say(ANN, PAGE, mentioned=True)
    assert (await room.result(again)).commit
    assert len(await room.app.sessions.list()) == 2
