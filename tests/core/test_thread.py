"""Whose word counts in a thread and what it starts: events against the rules, without a database."""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from core.attachments import PASTED
from core.chat import CLOSED, ON_MESSAGE, OPENING, Accepted, Answer, Event
from core.findings import CheckResult, Finding
from core.messages import Action, Attachment, DiffText, Doc, Para, TurnResult
from core.sessions import Author, Session, ThreadKey
from core.thread.access import StartRules
from core.thread.approvals import HELD_SECONDS
from core.thread.commands import COMMANDS, HELP, MENU, plain_emoji
from core.thread.decisions import Post, Query
from core.thread.intake import Intake
from core.thread.messages import MAX_MESSAGE_CHARS
from core.thread.state import Held
from core.thread.transcript import APPROVAL, DELETED, PERSON, REPLY, TROUBLE, Message, plain
from core.thread.troubles import told
from tests.fakes.threads import ANN, BEN, CEM, MemoryThreads

KEY, LOCAL = ThreadKey("talk", "w", "c", "t"), ThreadKey("local", "local", "local", "t")
FINDING = Finding("E1", "error", "a.py", 1, "broken", "ruff", "f1")


@dataclass
class Room:
    """One thread; turns run and end at the test's word."""

    key: ThreadKey = KEY
    threads: MemoryThreads = field(default_factory=MemoryThreads)
    rules: StartRules = field(default_factory=StartRules)
    count: int = 0
    looked: list[Query] = field(default_factory=list)

    @property
    def intake(self) -> Intake:
        async def look(session: Session, query: Query) -> Answer:
            self.looked.append(query)
            return Answer(plain(f"looked at {query.verb}"))

        return Intake(self.threads, self.rules, look)

    async def event(self, who: Author, kind: Any = "message", **given: Any) -> Accepted:
        self.count += 1
        self.threads.time += 1
        given.setdefault("at", self.threads.time)
        return await self.intake.accept(
            Event(given.pop("id", f"e{self.count}"), given.pop("key", self.key), who, kind, **given)
        )

    async def say(self, who: Author, text: str, *, mentioned: bool = False, **given: Any) -> Accepted:
        number = f"m{self.count + 1}"
        return await self.event(who, text=text, mentioned=mentioned, begins=mentioned, remote_id=number, **given)

    async def give(self, who: Author, verb: str, target: str = "", **given: Any) -> Accepted:
        return await self.event(who, "command", text=verb, target=target, **given)

    async def react(self, who: Author, emoji: str, on: Message, *, added: bool = True, **given: Any) -> Accepted:
        return await self.event(
            who, "reaction_added" if added else "reaction_removed", emoji=emoji, message_id=on.id, **given
        )

    async def post(self, post: Post) -> None:
        """Write a row that something else than an event wrote."""
        async with self.threads.transaction() as tx:
            await self.threads.apply(tx, self.session, [post])

    @property
    def session(self) -> Session:
        return next(iter(self.threads.rows.sessions.values()))

    def end(self, outcome: Any = "done", **given: Any) -> str:
        """Run the turn whose go it is to its end; return its id."""
        turn_id = next(one for one in self.threads.submitted if self.threads.rows.states[one] != "finished")
        request = self.threads.start(turn_id)
        result = TurnResult(turn_id, outcome, "That is it.", **given)
        self.threads.end(result)
        actions = {"asked": "answer_1", "stopped": "continue", "failed": "retry", "blocked": "waive"}.get(
            outcome, "undo"
        )
        if request.kind != "query":
            self.threads.reply(self.session, turn_id, Doc((Para("That is it."),), "✅", (Action(actions),)))
        return turn_id

    def row(self, key: str) -> Message:
        return self.threads.rows.messages[key]

    def reply(self, turn_id: str) -> Message:
        return self.row(f"{turn_id}{REPLY}")

    def notices(self) -> list[str]:
        """Return what the bot said beside the turns, newest last."""
        rows = sorted(self.threads.rows.messages.values(), key=lambda one: one.changed)
        return [words(one.doc) for one in rows if one.kind == "notice" and one.doc.blocks]

    def card(self) -> Message:
        """Return the newest card that waits for a word."""
        return [one for key, one in self.threads.rows.messages.items() if key.endswith(APPROVAL)][-1]

    def asked(self, turn_id: str) -> str:
        return self.threads.rows.turns[turn_id].request.text


def words(doc: Doc | None) -> str:
    return "\n".join(block.text for block in doc.blocks if isinstance(block, Para)) if doc else ""


def told_to(answer: Accepted) -> str:
    return words(answer.answer.doc)


async def begun(text: str = "Build a shop", **given: Any) -> Room:
    room = Room(**given)
    await room.say(ANN, text, mentioned=True)
    return room


async def with_guest(**given: Any) -> Room:
    """A room in which the first turn is done and Ben has asked for something."""
    room = await begun(**given)
    room.end()
    await room.say(BEN, "Make it red", mentioned=True)
    return room


# Who begins, and where.


async def test_who_calls_the_bot_owns_the_thread_and_gets_the_turn() -> None:
    room = await begun(rules=StartRules(frozenset({"c"}), frozenset({"U1"})))
    assert room.threads.rows.people["s0", "U1"].standing == "owner"
    assert [room.asked(one) for one in room.threads.submitted] == ["Build a shop"]
    assert room.row(f"{room.threads.submitted[0]}{PERSON}").mark == "👀"


async def test_the_same_event_again_changes_nothing() -> None:
    room = await begun()
    before = repr(room.threads.rows)
    again = await room.event(ANN, id="e1", text="Build a shop", mentioned=True, begins=True)
    assert (again.new, repr(room.threads.rows)) == (False, before)
    room.key = replace(KEY, thread="renamed")
    assert (await room.event(ANN, id="e1", text="Build a shop", begins=True)).session is None


async def test_who_may_not_start_is_told_and_nothing_begins() -> None:
    for rules, who, why in (
        (StartRules(channels=frozenset({"x"})), ANN, "not allowed to build in this channel"),
        (StartRules(people=frozenset({"U9"})), ANN, "not on the list of people"),
    ):
        room = Room(rules=rules)
        assert why in told_to(await room.say(who, "Build", mentioned=True))
        assert why in told_to(await room.give(who, "build"))
        assert not room.threads.rows.sessions
    room = Room(rules=StartRules(frozenset({"x"})), key=LOCAL)
    assert (await room.say(ANN, "Build")).turn_id


async def test_what_is_not_for_the_bot_opens_no_thread() -> None:
    room = Room()
    assert (await room.say(ANN, "Lunch?")).session is None
    assert (await room.event(ANN, "edited", text="Lunch now?", remote_id="m1")).session is None
    assert "only works in one of my threads" in told_to(await room.give(ANN, "undo"))
    assert (await room.give(ANN, "build")).answer.form is not None


async def test_a_wish_by_command_begins_a_thread_with_what_has_to_be_said_of_it() -> None:
    room = Room()
    started = await room.give(ANN, "build", "a shop", begins=True, caveat="I hear only mentions here.")
    assert room.asked(started.turn_id) == "a shop"
    assert room.notices() == ["I hear only mentions here."]
    assert room.row(f"{started.turn_id}{PERSON}").author == "Ann"


async def test_a_thread_that_is_just_being_opened_is_known() -> None:
    room = Room()
    await room.event(ANN, text="Build", begins=True, mentioned=True, key=replace(KEY, thread=f"{OPENING}at:t"))
    again = await room.say(ANN, "and blue")
    assert again.session is not None
    assert again.session.id == room.session.id


# What is said in a thread.


async def test_a_message_steers_what_runs_and_queue_and_btw_do_not() -> None:
    room = await begun()
    first = room.threads.submitted[0]
    assert (await room.say(ANN, "and blue")).turn_id == first
    assert [signal.text for _, signal in room.threads.rows.told[first]] == ["and blue"]
    waits = await room.say(ANN, "Add a cart. queue")
    assert (room.asked(waits.turn_id), room.threads.rows.states[waits.turn_id]) == ("Add a cart", "queued")
    assert room.row(f"{waits.turn_id}:queued").doc.actions == (Action("drop", waits.turn_id),)
    beside = await room.say(ANN, "What is a cart? btw")
    assert room.threads.rows.turns[beside.turn_id].request.kind == "aside"
    assert room.threads.rows.states[beside.turn_id] == "submitted"
    files = (Attachment("a.csv", "text/csv", 3, "r"),)
    with_file = await room.say(ANN, "", files=files)
    assert room.threads.rows.turns[with_file.turn_id].request.files == files
    assert "📎 a.csv" in words(room.row(f"{with_file.turn_id}{PERSON}").doc)
    assert (await room.say(ANN, "queue")).turn_id == first
    assert (await room.say(ANN, "there is a queue")).turn_id == first


@pytest.mark.parametrize(
    ("text", "why"),
    [
        (" \n ", "The message is empty"),
        ("x" * (MAX_MESSAGE_CHARS + 1), "I read up to 100,000"),
        ("PK\x00\x01", "looks like a binary file"),
        ("\x01\x02\x03 x", "looks like a binary file"),
    ],
)
async def test_what_cannot_be_read_is_said_and_kept_short(text: str, why: str) -> None:
    room = await begun()
    assert (await room.say(ANN, text)).turn_id == ""
    assert why in room.notices()[-1]
    rows = [one for one in room.threads.rows.messages.values() if one.kind == "person"]
    assert max(len(words(one.doc)) for one in rows) < 2_100


async def test_half_a_character_and_names_that_format_come_in_harmless() -> None:
    room = Room()
    await room.say(Author("U1", "**[x](http://e)**"), "Build \ud800 for <@U2>", mentioned=True, people=(BEN,))
    assert room.asked(room.threads.submitted[0]) == "Build � for @Ben"
    assert room.threads.rows.people["s0", "U1"].author.name == "(x)(http://e)"


async def test_a_wish_can_be_put_into_the_queue_by_command_and_may_begin_a_thread() -> None:
    room = Room()
    first = await room.give(ANN, "queue", "a shop!", begins=True)
    assert room.asked(first.turn_id) == "a shop"
    room.threads.start(first.turn_id)
    second = await room.give(ANN, "queue", "add a cart.")
    assert (room.asked(second.turn_id), room.threads.rows.states[second.turn_id]) == ("add a cart", "queued")
    await room.give(ANN, "queue", "..")
    assert "message is empty" in room.notices()[-1]


async def test_what_a_message_answers_belongs_to_it() -> None:
    room = await begun()
    room.end()
    said = await room.say(ANN, "build this", mentioned=True, replied_to="Ben: a blog")
    assert room.asked(said.turn_id).startswith("build this\n\nIn answer to this message of Ben: a blog")


async def test_with_several_people_only_mentions_count_and_that_is_said_once() -> None:
    room = await begun()
    room.end()
    assert (await room.say(BEN, "Nice")).turn_id == ""
    assert (await room.say(ANN, "Yes")).turn_id == ""
    assert sum("There are several of you here now" in one for one in room.notices()) == 1
    assert (await room.say(ANN, "make it blue", mentioned=True)).turn_id
    assert (await room.say(ANN, "Ben, look", for_others=True, mentioned=True)).turn_id == ""
    # Stop, undo and redo need no mention, but only where there is something to stop.
    assert (await room.say(ANN, "stop", for_others=True)).turn_id == ""
    room.threads.start(room.threads.submitted[-1])
    await room.say(ANN, "stop")
    assert [signal.kind for _, signal in room.threads.rows.told[room.threads.submitted[-1]]] == ["stop"]
    room.end("stopped")
    undo = await room.say(ANN, "undo")
    assert room.threads.rows.turns[undo.turn_id].request.kind == "undo"


async def test_listening_can_be_set() -> None:
    room = await with_guest()
    await room.give(ANN, "set", "listening always")
    assert (await room.say(ANN, "make it blue")).turn_id
    await room.give(ANN, "set", "listening=mention")
    assert (await room.say(ANN, "make it green")).turn_id == ""


# Guests.


async def test_a_guest_waits_for_the_owner_who_can_let_one_message_through() -> None:
    room = await with_guest()
    card = room.card()
    assert [one.verb for one in card.doc.actions] == ["allow", "invite", "deny", "review"]
    number = card.key.removesuffix(APPROVAL)
    assert "decides who can drive" in told_to(await room.give(BEN, "allow", number))
    done = await room.react(ANN, "👍", card)
    assert (done.turn_id, room.asked(number)) == (number, "Make it red")
    assert "Ann let this message of Ben through." in words(room.card().doc)
    assert "already been decided" in told_to(await room.give(ANN, "deny", number))
    assert "already been decided" in told_to(await room.give(ANN, "review", number))
    # Taking the reaction away takes the word back, as long as the turn waits.
    await room.react(ANN, "👍", room.card(), added=False)
    assert "Ann took that back" in words(room.card().doc)
    assert room.threads.rows.states[number] == "finished"
    await room.react(ANN, "👍", room.card())
    await room.react(ANN, "👍", room.card(), added=False)
    assert room.threads.rows.held[number].state == "dropped"


async def test_a_guest_can_be_invited_and_uninvited() -> None:
    room = await with_guest()
    number = room.card().key.removesuffix(APPROVAL)
    await room.give(ANN, "invite", number)
    assert room.threads.rows.people["s0", "U2"].standing == "invited"
    assert room.asked(number) == "Make it red"
    assert (await room.say(BEN, "and blue", mentioned=True)).turn_id == number
    assert "can already drive this thread" in told_to(await room.give(ANN, "let_in", "ben"))
    assert "Invited: Ben." in told_to(await room.give(ANN, "status"))
    for verb in ("let_in", "uninvite"):
        assert "Only the person who started this thread" in told_to(await room.give(BEN, verb, "Cem"))
    assert (await room.give(ANN, "uninvite", number)).answer.doc is None
    assert "took Ben's invitation back" in words(room.card().doc)
    assert "is not invited" in told_to(await room.give(ANN, "uninvite", number))
    await room.say(ANN, "invite @Cem", mentioned=True, people=(CEM,))
    assert room.threads.rows.people["s0", "U3"].standing == "invited"
    await room.say(ANN, "uninvite Cem", mentioned=True)
    assert "wait for your approval again" in room.notices()[-1]
    await room.say(ANN, "invite @Dan", mentioned=True)
    assert "I know nobody called Dan" in room.notices()[-1]


async def test_a_guest_is_refused_by_word_by_setting_and_for_what_nobody_could_read() -> None:
    room = await with_guest()
    number = room.card().key.removesuffix(APPROVAL)
    await room.react(ANN, "👎", room.card())
    assert (room.row(f"{number}{PERSON}").mark, room.threads.rows.held[number].state) == ("⛔", "denied")
    await room.say(BEN, "", mentioned=True, files=[Attachment(PASTED, "text/plain", 9, "r")])
    assert "that came as a file" in room.notices()[-1]
    await room.give(ANN, "set", "access=nobody")
    await room.say(BEN, "please", mentioned=True)
    assert [one.mark for one in room.threads.rows.messages.values() if one.kind == "person"][-1] == "⛔"


async def test_an_owner_reads_the_whole_in_a_form_and_decides_there() -> None:
    room = await with_guest()
    number = room.card().key.removesuffix(APPROVAL)
    form = (await room.give(ANN, "review", number)).answer.form
    assert form is not None
    assert (form.quoted, form.target) == ("Make it red", number)
    assert "didn't understand" in told_to(await room.give(ANN, "decide", f"decision=maybe&target={number}"))
    await room.give(ANN, "decide", f"decision=deny&target={number}")
    assert room.threads.rows.held[number].state == "denied"
    assert "Only the person who started" in told_to(await room.give(ANN, "review", "nothing"))
    assert "Only the person who started" in told_to(await room.give(ANN, "allow", "nothing"))


@pytest.mark.parametrize("by", ["word", "time"])
async def test_what_waited_too_long_can_be_asked_again(by: str) -> None:
    room = await with_guest()
    number = room.card().key.removesuffix(APPROVAL)
    await room.intake.lapse(room.threads.time)
    assert room.threads.rows.held[number].state == "open"
    room.threads.time += HELD_SECONDS
    await (room.give(ANN, "allow", number) if by == "word" else room.intake.lapse(room.threads.time))
    assert "waited too long for an answer" in words(room.card().doc)
    assert number not in room.threads.rows.turns
    await room.intake.lapse(room.threads.time)


async def test_what_is_decided_at_the_last_moment_does_not_lapse() -> None:
    class Slow(MemoryThreads):
        async def overdue(self, before: float) -> list[Held]:
            late = await super().overdue(before)
            self.rows.held = {number: replace(one, state="denied") for number, one in self.rows.held.items()}
            return late

    room = await with_guest(threads=Slow())
    await room.intake.lapse(room.threads.time + HELD_SECONDS)
    assert "waited too long" not in words(room.card().doc)


async def test_who_decides_where_nobody_started_it() -> None:
    room = await with_guest()
    room.threads.rows.people.pop(("s0", "U1"))
    assert "who started it decides who can drive this thread." in told_to(await room.give(BEN, "undo"))


async def test_a_guest_who_edits_or_deletes_what_waits_changes_what_is_asked() -> None:
    room = await with_guest()
    number = room.card().key.removesuffix(APPROVAL)
    shown = room.row(f"{number}{PERSON}")
    await room.event(BEN, "edited", text="Make it pink", remote_id=shown.remote_id)
    assert room.threads.rows.held[number].event.text == "Make it pink"
    await room.event(BEN, "deleted", remote_id=shown.remote_id)
    assert "Ben took the message back." in words(room.card().doc)
    assert DELETED in room.row(f"{number}{PERSON}").doc.blocks


# Undo, redo, stop, continue.


async def test_undo_ends_what_is_built_and_says_what_is_left_undone() -> None:
    room = await begun()
    first = room.threads.submitted[0]
    room.threads.start(first)
    waits = await room.say(ANN, "Add a cart. queue")
    undo = await room.say(ANN, "undo")
    assert "Undo comes first" not in " ".join(room.notices())
    assert [signal.text for _, signal in room.threads.rows.told[first]] == ["Left undone: “Add a cart”."]
    assert room.threads.rows.turns[waits.turn_id].result is not None
    assert room.threads.rows.turns[undo.turn_id].request.kind == "undo"


async def test_undo_before_anything_runs_drops_what_waits() -> None:
    room = await begun()
    await room.say(ANN, "undo")
    assert "Undo comes first. Left undone: “Build a shop”." in room.notices()


async def test_a_reversal_that_waits_is_taken_back_by_its_opposite() -> None:
    room = await begun()
    done = room.end()
    room.threads.start((await room.say(ANN, "make it blue")).turn_id)
    reply = room.reply(done)
    undo = await room.react(ANN, "↩️", reply)
    assert room.threads.rows.turns[undo.turn_id].request.target == done
    assert (await room.give(ANN, "undo", done)).turn_id == undo.turn_id
    await room.react(ANN, "↩️", reply, added=False)
    result = room.threads.rows.turns[undo.turn_id].result
    assert result is not None
    assert result.outcome == "withdrawn"
    room.end()
    redo = await room.give(ANN, "redo", done)
    room.threads.start(redo.turn_id)
    # The opposite of one under way waits behind it.
    assert room.threads.rows.turns[(await room.give(ANN, "undo", done)).turn_id].request.kind == "undo"


async def test_undo_to_here_by_the_menu_of_an_answer() -> None:
    room = await begun()
    done = room.end()
    given = await room.give(ANN, "undo_to", f"{ON_MESSAGE}r-{done}")
    request = room.threads.rows.turns[given.turn_id].request
    assert (request.target, request.beyond) == (done, True)
    for target in ("nowhere", "m1"):
        assert "on one of my answers" in told_to(await room.give(ANN, "undo", f"{ON_MESSAGE}{target}"))


async def test_stop_says_what_is_left_and_continue_takes_it_up() -> None:
    room = await begun()
    assert "Nothing is running" not in told_to(await room.give(ANN, "status"))
    await room.say(ANN, "and blue")
    await room.give(ANN, "stop")
    assert "Stopped by Ann before it started. Left undone: “Build a shop”, “and blue”." in room.notices()
    assert told_to(await room.give(ANN, "stop")) == "Nothing is running."
    again = await room.say(ANN, "continue")
    request = room.threads.rows.turns[again.turn_id].request
    assert (request.text, [one.text for one in request.added]) == ("Build a shop", ["and blue"])
    assert (await room.say(ANN, "continue")).turn_id == again.turn_id
    await room.say(ANN, "Something else. queue")
    room.end("stopped")
    assert (await room.give(ANN, "continue")).turn_id != again.turn_id


async def test_continue_says_why_it_cannot() -> None:
    room = Room(key=LOCAL)
    await room.say(ANN, "status")
    assert "nothing to continue" in told_to(await room.give(ANN, "continue"))
    first = (await room.say(ANN, "Build")).turn_id
    assert "hasn't finished yet" in told_to(await room.give(ANN, "continue", first))
    await room.event(ANN, "deleted", message_id=room.row(f"{first}{PERSON}").id)
    assert "was withdrawn" in told_to(await room.give(ANN, "continue", first))
    other = Room(key=replace(LOCAL, thread="other"), threads=room.threads, count=100)
    await other.say(ANN, "Build")
    assert "another thread" in told_to(await other.give(ANN, "continue", first))


async def test_continuing_twice_is_continuing_once_and_leaves_out_what_was_deleted() -> None:
    room = await begun()
    first = room.threads.submitted[0]
    room.threads.start(first)
    extra = await room.say(ANN, "and blue")
    request = room.threads.rows.turns[first].request
    signal = room.threads.rows.told[first][0][1]
    room.threads.rows.turns[first] = replace(room.threads.rows.turns[first], request=replace(request, added=(signal,)))
    assert extra.turn_id == first
    room.end("failed")
    await room.post(Post(signal.said, Doc((DELETED,)), "person"))
    again = await room.react(ANN, "🔁", room.reply(first))
    assert room.threads.rows.turns[again.turn_id].request.added == ()
    assert room.threads.rows.turns[again.turn_id].request.resumes == first
    assert (await room.give(ANN, "retry", first)).turn_id == again.turn_id


async def test_what_waits_can_be_taken_out_of_the_queue_and_the_rest_moves_up() -> None:
    room = await begun()
    room.threads.start(room.threads.submitted[0])
    two = (await room.say(ANN, "Two. queue")).turn_id
    three = (await room.say(ANN, "Three. queue")).turn_id
    assert words(room.row(f"{three}:queued").doc) == "Queued, position 2."
    assert "Removed from the queue" in told_to(await room.give(ANN, "drop", two))
    assert words(room.row(f"{three}:queued").doc) == "Queued, position 1."
    assert "has already started" in told_to(await room.give(ANN, "drop", two))
    # What was said to one that is taken out becomes a turn of its own.
    await room.say(ANN, "and more")
    assert room.threads.rows.turns[two].result is not None


async def test_what_was_added_to_a_dropped_turn_stays() -> None:
    room = await begun()
    first = room.threads.submitted[0]
    await room.say(ANN, "and blue")
    shown = room.row(f"{first}{PERSON}")
    await room.event(ANN, "deleted", remote_id=shown.remote_id)
    (new,) = [one for one in room.threads.submitted if one != first]
    assert room.asked(new) == "and blue"


# Edits and deletions of people's own messages.


async def test_an_edit_of_what_waits_replaces_it_and_of_what_runs_corrects_it() -> None:
    room = await begun()
    first = room.threads.submitted[0]
    shown = room.row(f"{first}{PERSON}")
    await room.event(ANN, "edited", text="Build a blog", remote_id=shown.remote_id)
    assert room.asked(first) == "Build a blog"
    room.threads.start(first)
    await room.event(ANN, "edited", text="Build a wiki", remote_id=shown.remote_id)
    assert room.threads.rows.told[first][-1][1].text == "Build a wiki"
    room.end()
    later = await room.event(ANN, "edited", text="Build a forum", remote_id=shown.remote_id)
    assert "I have edited my earlier message" in room.asked(later.turn_id)
    room.threads.start(later.turn_id)
    other = await room.say(ANN, "Add a map. queue")
    other_row = room.row(f"{other.turn_id}{PERSON}")
    # A wish that no longer waits its turn goes to what runs.
    moved = await room.event(ANN, "edited", text="Add a map", remote_id=other_row.remote_id)
    assert moved.turn_id == later.turn_id


async def test_edits_that_are_none_change_nothing() -> None:
    room = await begun()
    shown = room.row(f"{room.threads.submitted[0]}{PERSON}")
    before = len(room.threads.rows.turns)
    for text in ("Build a shop", "  "):
        await room.event(ANN, "edited", text=text, remote_id=shown.remote_id)
    assert (await room.event(ANN, "edited", text="x", remote_id="unknown")).turn_id == ""
    await room.event(ANN, "edited", text="PK\x00", remote_id=shown.remote_id)
    assert "binary file" in room.notices()[-1]
    assert len(room.threads.rows.turns) == before
    late = await room.event(ANN, "edited", text="make it blue", remote_id="never-heard", mentioned=True)
    assert late.turn_id


async def test_an_edit_can_call_the_bot_in_and_a_guest_cannot_change_what_was_let_through() -> None:
    room = await with_guest()
    number = room.card().key.removesuffix(APPROVAL)
    await room.give(ANN, "allow", number)
    row = room.row(f"{number}{PERSON}")
    await room.event(BEN, "edited", text="Delete all", remote_id=row.remote_id)
    assert room.asked(number) == "Make it red"
    aside = await room.say(ANN, "hm")
    assert aside.turn_id == ""
    row = [one for one in room.threads.rows.messages.values() if one.kind == "person"][-1]
    called = await room.event(ANN, "edited", text="hm, make it blue", remote_id=row.remote_id, mentioned=True)
    assert called.turn_id == number


async def test_an_edited_command_takes_the_command_back() -> None:
    room = await begun()
    room.threads.start(room.threads.submitted[0])
    redo = await room.say(ANN, "redo")
    row = room.row(f"{redo.turn_id}{PERSON}")
    await room.event(ANN, "edited", text="redo it all", remote_id=row.remote_id)
    assert room.threads.rows.turns[redo.turn_id].result is not None


async def test_a_deleted_message_is_taken_out_of_the_turn_that_it_was_added_to() -> None:
    room = await begun()
    first = room.threads.submitted[0]
    room.threads.start(first)
    await room.say(ANN, "and blue")
    row = [one for one in room.threads.rows.messages.values() if one.kind == "person"][-1]
    await room.event(ANN, "deleted", remote_id=row.remote_id)
    assert [signal.kind for _, signal in room.threads.rows.told[first]] == ["steer", "withdraw"]
    await room.event(ANN, "deleted", remote_id=room.row(f"{first}{PERSON}").remote_id)
    assert len(room.threads.rows.told[first]) == 2
    done = room.end("failed")
    await room.event(ANN, "deleted", message_id=room.reply(done).id)
    await room.event(ANN, "deleted", message_id=999)
    overheard = await room.say(ANN, "Lunch", for_others=True)
    row = [one for one in room.threads.rows.messages.values() if one.kind == "person"][-1]
    await room.event(ANN, "deleted", remote_id=row.remote_id)
    assert overheard.turn_id == ""
    assert room.row(row.key).doc == Doc((DELETED,))


async def test_what_failed_is_not_resumed_after_its_message_was_deleted() -> None:
    room = await begun()
    done = room.end("failed")
    await room.event(ANN, "deleted", remote_id=room.row(f"{done}{PERSON}").remote_id)
    assert room.reply(done).doc.actions == ()
    assert "nothing to continue" in told_to(await room.give(ANN, "continue"))


# Clashes, findings, questions, errors.


async def test_a_clash_can_be_settled_in_three_ways_and_looked_at() -> None:
    for verb, kind in (("keep_mine", "message"), ("keep_theirs", ""), ("reconcile", "message"), ("sides", "")):
        room = await begun()
        done = room.end("failed", clashed=True, sides="<<<", parent="p", target="t9")
        answer = await room.give(ANN, verb, done)
        if kind:
            request = room.threads.rows.turns[answer.turn_id].request
            assert (request.base, request.target) == ("p" if verb == "keep_mine" else "", "t9")
        elif verb == "sides":
            doc = answer.answer.doc
            assert doc is not None
            assert doc.blocks[1] == DiffText("<<<")
        else:
            assert "stays as it is" in told_to(answer)
        for other in ("keep_mine", "keep_theirs", "reconcile", "sides"):
            assert "didn't clash" in told_to(await room.give(ANN, other, "e9"))


@pytest.mark.parametrize(("kind", "text"), [("undo", "Undo that"), ("redo", "Redo that")])
async def test_a_reversal_that_clashed_is_worked_out_by_a_new_turn(kind: str, text: str) -> None:
    room = await begun()
    room.end()
    room.threads.start((await room.say(ANN, kind)).turn_id)
    clashed = room.end("failed", clashed=True, sides="<<<")
    new = await room.give(ANN, "reconcile", clashed)
    request = room.threads.rows.turns[new.turn_id].request
    assert request.text.startswith(text)
    assert "<<<" in request.about
    assert "Ann asked me to work it out." in room.notices()


async def test_findings_can_be_accepted_with_a_reason() -> None:
    room = await begun()
    assert "no blocked change to accept" in told_to(await room.give(ANN, "waive"))
    check = CheckResult("lint", "failed", 0.1, (FINDING,))
    room.end("blocked", checks=(check,))
    again = await room.say(ANN, "This is fine, because we want it")
    assert list(room.threads.rows.waived.values()) == ["Ann"]
    assert room.threads.rows.turns[again.turn_id].request.resumes
    room.end("blocked", checks=(check,))
    assert (await room.react(ANN, "👌", room.reply(again.turn_id))).turn_id


async def test_a_question_is_answered_once_by_its_options() -> None:
    room = await begun()
    asked = room.end("asked", options=("A shop", "A blog"))
    reply = room.reply(asked)
    assert "I didn't ask that" in told_to(await room.give(ANN, "answer_3", asked))
    assert "I didn't ask that" in told_to(await room.give(ANN, "answer_1", "unknown"))
    picked = await room.react(ANN, "2️⃣", reply)
    assert room.asked(picked.turn_id) == "A blog"
    assert room.reply(asked).doc.actions == ()
    assert "has been answered" in told_to(await room.react(ANN, "1️⃣", reply))
    room.end()
    assert "has been answered" in told_to(await room.give(ANN, "answer_1", asked))


async def test_an_error_of_the_app_is_mended_on_demand() -> None:
    room = await begun()
    assert "don't know of any error" in told_to(await room.give(ANN, "fix"))
    room.end()
    key = f"s0{TROUBLE}abc:1"
    await room.post(Post(key, told("KeyError", key)))
    trouble = room.row(key)
    mending = await room.react(ANN, "🔧", trouble)
    assert "KeyError" in room.asked(mending.turn_id)
    assert room.row(key).doc.actions == ()
    done = room.end()
    assert (await room.react(ANN, "🔧", room.reply(done))).turn_id
    assert words(told("full", key, overfull=True)) == words(told("full", key, mends=False))
    assert told("x", key, mends=False).actions == ()
    other = Room(key=replace(KEY, thread="other"), threads=room.threads, count=50)
    await other.say(BEN, "Build", mentioned=True)
    assert "don't know of any error" in told_to(await other.give(BEN, "fix", key))


# Settings and serious steps.


async def test_settings_are_shown_and_changed_by_the_owner_alone() -> None:
    room = await with_guest()
    assert (await room.give(ANN, "settings")).answer.form is not None
    await room.give(ANN, "set", "access everyone")
    assert "Only the person who started this thread can change" in told_to(await room.give(BEN, "set", "access owner"))
    assert "I don't know that setting" in told_to(await room.give(ANN, "set", "colour blue"))
    said = await room.give(ANN, "set", "access=nobody&scope=channel")
    assert "Who may drive: nobody" in told_to(said)
    assert "You can still say “settings”" in told_to(said)
    assert room.threads.rows.places == {("talk", "c"): {"access": "nobody"}}
    assert (await room.say(ANN, "set access owner")).turn_id == ""
    assert room.session.access == "owner"


async def test_a_paused_thread_hears_its_owner_on_settings_alone() -> None:
    room = await begun()
    room.end()
    await room.give(ANN, "set", "access nobody")
    assert "decides who can drive" in told_to(await room.give(ANN, "undo"))
    await room.say(ANN, "status")
    assert "Who may drive: nobody" in room.notices()[-1]
    await room.say(ANN, "help")
    assert room.notices()[-1] == HELP


async def test_links_are_taken_back_by_the_owner() -> None:
    room = await with_guest()
    await room.give(ANN, "set", "access everyone")
    assert "Only the person who started" in told_to(await room.give(BEN, "revoke"))
    assert "Links I've given out so far" in told_to(await room.give(ANN, "revoke"))
    assert room.session.links_since > 0


async def test_removing_data_asks_who_is_alone_and_a_second_person_where_there_are_several() -> None:
    room = await begun()
    room.end()
    asked = await room.say(ANN, "reset data")
    assert asked.turn_id == ""
    assert "cannot be undone. Shall I?" in words(room.card().doc)
    await room.react(ANN, "👎", room.card())
    assert "took that back" in words(room.card().doc)
    sure = await room.say(ANN, "reset data yes")
    assert room.asked(sure.turn_id) == "reset_data"
    room.end()
    await room.say(ANN, "invite @Ben", people=(BEN,))
    await room.say(ANN, "reset data yes", mentioned=True)
    number = room.card().key.removesuffix(APPROVAL)
    assert "Someone else who can decide" in words(room.card().doc)
    assert "Someone else has to agree" in told_to(await room.give(ANN, "agree", number))
    agreed = await room.give(BEN, "agree", number)
    assert room.asked(agreed.turn_id) == "reset_data"
    assert "Ben agreed" in words(room.card().doc)
    assert "already been decided" in told_to(await room.give(BEN, "refuse", number))
    assert "Only the person who started" in told_to(await room.give(BEN, "reset_data"))
    for verb in ("agree", "refuse"):
        assert "nothing waiting for your agreement" in told_to(await room.give(BEN, verb, "e1"))


async def test_a_preview_for_everyone_needs_a_second_word_that_can_come_too_late() -> None:
    room = await begun()
    room.end()
    await room.say(ANN, "invite @Ben", people=(BEN,))
    await room.give(ANN, "set", "sharing public")
    first = room.card().key.removesuffix(APPROVAL)
    await room.give(BEN, "refuse", first)
    assert "Ben said no" in words(room.card().doc)
    await room.give(ANN, "set", "sharing public")
    late = room.card().key.removesuffix(APPROVAL)
    room.threads.time += HELD_SECONDS
    await room.give(BEN, "agree", late)
    assert room.session.sharing == "link"
    await room.give(ANN, "set", "sharing public")
    await room.react(BEN, "👍", room.card())
    assert room.threads.rows.sessions["s0"].sharing == "public"
    assert "Only the person who started" in told_to(await room.give(ANN, "allow", late))


async def test_who_has_a_say_goes_by_the_setting() -> None:
    room = await with_guest()
    await room.give(ANN, "set", "access owner")
    assert told_to(await room.give(ANN, "reset_data", "yes")) == "looked at reset_data"
    await room.give(ANN, "set", "access everyone")
    await room.give(ANN, "reset_data", "yes")
    assert "Someone else who can decide" in words(room.card().doc)


# Questions to the bot, and what does not exist.


async def test_what_only_looks_up_is_answered_after_the_transaction() -> None:
    room = await begun()
    done = room.end()
    assert told_to(await room.give(ANN, "diff", done)) == "looked at diff"
    assert room.looked == [Query("diff", done)]
    said = await room.say(ANN, "when did the cart break?")
    request = room.threads.rows.turns[said.turn_id].request
    assert (request.text, request.target) == ("bisect", "the cart")
    assert "know no command 'dance'" in told_to(await room.give(ANN, "dance"))
    assert told_to(await room.give(ANN, "help")) == HELP


async def test_reactions_that_did_nothing_are_taken_off_where_they_may_be() -> None:
    room = await begun()
    done = room.end()
    reply = room.reply(done)
    off = await room.react(ANN, "🔁", reply, removable=True)
    assert off.taken_off == ("🔁",)
    assert (await room.react(ANN, "🔁", reply)).taken_off == ()
    assert (await room.react(ANN, "👍", reply, removable=True)).taken_off == ()
    assert (await room.react(ANN, "👎", reply, removable=True)).taken_off == ("👍",)
    assert (await room.react(BEN, "👍", reply)).turn_id == ""
    assert (await room.react(ANN, "👍", reply, at=room.threads.time + 2)).turn_id == ""
    assert (await room.react(ANN, "👍", reply, added=False)).turn_id == ""
    assert (await room.react(ANN, "↩️", reply, removable=True)).taken_off == ()
    assert (await room.react(ANN, "❌", reply, removable=True)).taken_off == ()
    assert (await room.react(BEN, "↩️", reply, removable=True)).taken_off == ("↩️",)
    assert (await room.react(ANN, "🎉", reply, removable=True)).taken_off == ()
    before = len(room.threads.rows.turns)
    await room.react(ANN, "↩️", room.row(f"{done}{PERSON}"))
    assert len(room.threads.rows.turns) == before


async def test_a_reaction_counts_once_and_not_after_a_later_one() -> None:
    room = await begun()
    reply = room.reply(room.end())
    undo = await room.react(ANN, "↩️", reply)
    assert (await room.react(ANN, "↩️", reply)).turn_id == ""
    assert (await room.react(ANN, "↩️", reply, added=False, at=1.0)).turn_id == ""
    assert room.threads.rows.turns[undo.turn_id].result is None


async def test_a_reaction_on_what_is_not_known_is_kept_and_one_of_elsewhere_counts_for_nothing() -> None:
    room = await begun()
    reply = room.reply(room.end())
    assert (await room.event(ANN, "reaction_added", emoji="↩️", remote_id="soon")).session is None
    assert [one.remote_id for one in room.threads.rows.early] == ["soon"]
    room.key = replace(KEY, workspace="other")
    assert (await room.react(ANN, "↩️", reply)).session is None
    row = [one for one in room.threads.rows.messages.values() if one.kind == "person"][-1]
    assert (await room.event(ANN, "edited", text="mine", remote_id=row.remote_id)).session is None


async def test_in_the_local_chat_what_a_reaction_answers_stands_in_the_thread() -> None:
    room = Room(key=LOCAL)
    await room.say(ANN, "Build")
    reply = room.reply(room.end("asked", options=("A",)))
    await room.react(ANN, "3️⃣", reply)
    assert "I didn't ask that" in room.notices()[-1]
    assert not room.threads.rows.people


async def test_a_closed_thread_ends_its_turns_and_hears_nothing_more() -> None:
    room = await begun()
    reply = room.reply(room.end())
    await room.say(ANN, "and blue")
    await room.event(ANN, "closed", key=replace(KEY, thread=""))
    await room.event(ANN, "closed", key=replace(KEY, thread=""))
    assert room.session.key.thread.startswith(CLOSED)
    assert all(turn.result is not None for turn in room.threads.rows.turns.values())
    assert (await room.react(ANN, "↩️", reply)).session is None
    row = [one for one in room.threads.rows.messages.values() if one.kind == "person"][-1]
    assert (await room.event(ANN, "edited", text="blue", remote_id=row.remote_id)).session is None
    assert (await room.event(ANN, "deleted", remote_id=row.remote_id)).session is not None


async def test_an_error_takes_everything_back() -> None:
    class Broken(MemoryThreads):
        async def apply(self, tx: Any, session: Session, effects: Sequence[Any]) -> None:
            await super().apply(tx, session, effects)
            raise OSError("disk full")

    room = Room(threads=Broken())
    with pytest.raises(OSError, match="disk full"):
        await room.say(ANN, "Build", mentioned=True)
    assert not room.threads.rows.sessions


# The table of commands.


def test_every_command_is_one_row_and_no_two_share_a_word_or_a_reaction() -> None:
    rows = list(COMMANDS.values())
    said = [word for row in rows for word in row.words]
    assert len(said) == len(set(said))
    shown = [(plain_emoji(row.emoji), row.on) for row in rows if row.emoji]
    assert len(shown) == len(set(shown))
    assert {row.removed for row in rows if row.removed} <= set(COMMANDS)
    assert {verb for row in rows for verb in row.on} <= set(COMMANDS)
    assert set(MENU.values()) <= set(COMMANDS)
    assert all(f"{row.words[0]}" in HELP for row in rows if row.help and row.words)


# Any talk at all.

PEOPLE = (ANN, BEN, CEM)
MOVES = st.tuples(
    st.sampled_from(
        ("say", "queue", "btw", "word", "edit", "delete", "react", "unreact", "press", "run", "end", "again", "late")
    ),
    st.integers(0, 11),
    st.integers(0, 2),
)


async def play(moves: list[tuple[str, int, int]], key: ThreadKey) -> Room:
    """Play any talk."""
    room = Room(key=key)
    await room.say(ANN, "wish 0", mentioned=True)
    for number, (move, pick, who) in enumerate(moves, 1):
        rows = room.threads.rows
        own = [
            one
            for one in rows.messages.values()
            if one.kind == "person" and one.remote_id and DELETED not in one.doc.blocks
        ]
        shown = [one for one in rows.messages.values() if one.kind != "person"]
        person = PEOPLE[who]
        if move in ("say", "queue", "btw"):
            ending = {"say": "", "queue": ". queue", "btw": ". btw"}[move]
            await room.say(person, f"wish {number}{ending}", mentioned=True)
        elif move == "word":
            verb = (
                "undo",
                "redo",
                "stop",
                "continue",
                "status",
                "help",
                "settings",
                "reset data",
                "fix",
                "diff",
                "this is fine",
                "revoke",
            )[pick]
            await room.say(person, verb, mentioned=True)
        elif move in ("edit", "delete") and own:
            row = own[pick % len(own)]
            author = next(one for one in PEOPLE if one.name == row.author)
            if move == "edit":
                await room.event(author, "edited", text=f"wish {number}", remote_id=row.remote_id)
            else:
                await room.event(author, "deleted", remote_id=row.remote_id)
        elif move in ("react", "unreact") and shown:
            row = shown[pick % len(shown)]
            emoji = [one.emoji for one in COMMANDS.values() if one.emoji][(pick * 5 + who) % 14]
            await room.react(person, emoji, row, added=move == "react", removable=pick % 2 == 0)
        elif move == "press" and shown:
            row = shown[pick % len(shown)]
            for action in row.doc.actions[:1]:
                await room.give(person, action.verb, action.target or row.turn_id)
        elif move == "run":
            for turn_id in rows.states:
                if rows.states[turn_id] == "submitted":
                    room.threads.start(turn_id)
                    break
        elif move == "end" and any(state in ("submitted", "running") for state in rows.states.values()):
            room.end(("done", "failed", "asked", "stopped", "blocked")[pick % 5], options=("wish x",))
        elif move == "again":
            before = repr(room.threads.rows)
            await room.event(ANN, id="e1", text="wish 0", mentioned=True, begins=True)
            assert repr(room.threads.rows) == before
        elif move == "late":
            room.threads.time += HELD_SECONDS
            await room.intake.lapse(room.threads.time)
    return room


@settings(max_examples=120, deadline=None)
@given(st.lists(MOVES, max_size=25), st.sampled_from((KEY, LOCAL)))
def test_any_talk_keeps_the_rules(moves: list[tuple[str, int, int]], key: ThreadKey) -> None:
    room = asyncio.run(play(moves, key))
    rows = room.threads.rows
    # Each turn goes to the engine once, and of those that change the app one at a time.
    assert len(room.threads.submitted) == len(set(room.threads.submitted))
    at_work = [number for number, state in rows.states.items() if state in ("submitted", "running")]
    assert sum(not rows.turns[number].request.beside for number in at_work) <= 1
    # Where something waits, something is at work that it waits for.
    assert at_work or "queued" not in rows.states.values()
    # Only the person who may drive has started anything; a guest's wish was let through by the owner.
    for number, turn in rows.turns.items():
        author = turn.request.author
        if key is KEY and author.id != ANN.id and turn.request.kind == "message":
            standing = rows.people["s0", author.id].standing
            held = [one.state for one in rows.held.values() if one.event.author.id == author.id]
            assert standing == "invited" or {"allowed", "invited", "dropped"} & set(held), number
    # Every message that was acted on has a mark, and its turn exists.
    for message in rows.messages.values():
        if message.kind == "person" and message.turn_id and message.mark == "👀":
            assert message.turn_id in rows.turns or message.turn_id == message.key.removesuffix(PERSON)
