"""What people say in a thread: what is not for the bot, what waits for its owner's word, and what is acted on."""

from dataclasses import replace

from core.attachments import PASTED
from core.chat import Event
from core.messages import Doc, Signal, TurnKind, TurnRequest
from core.steering import corrected
from core.thread.access import is_addressed, may_drive, with_context
from core.thread.approvals import asked, taken_back
from core.thread.commands import COMMANDS, command_in
from core.thread.decisions import (
    NOTHING,
    Call,
    Decide,
    Decision,
    Effect,
    GiveUp,
    Heard,
    Hold,
    Join,
    LetGo,
    Mark,
    Move,
    Post,
    Rewrite,
    TakeButtons,
    Tell,
    notice,
)
from core.thread.line import dropped, queued
from core.thread.state import ThreadState, Unfinished
from core.thread.transcript import DELETED, NOTICE, PERSON, QUEUED, REPLY, Message, plain
from core.wording import can_stand, printable

MAX_MESSAGE_CHARS = 100_000
ACCEPTED, REFUSED = "👀", "⛔"
SEVERAL = "There are several of you here now, so I only act on messages that mention me. Say “settings” to change that."


def message(state: ThreadState, event: Event, turn_id: str) -> Decision:
    """A message: not for the bot, a guest's that has to wait, or one to act on."""
    session, standing = state.session, state.standing(event.author.id)
    if state.local:
        return say(state, event, turn_id)
    speakers, heard = state.speakers(event.author.id), _heard(state, event)
    command = COMMANDS.get(command_in(event.text)[0])
    if standing == "owner" and command is not None and command.always:
        return say(state, event, turn_id).after(*heard)
    drives = may_drive(session, standing)
    urgent = command is not None and command.urgent and drives and not event.for_others
    if urgent and command is not None and command.verb == "stop":
        urgent = bool(state.line)
    if not is_addressed(session, event, speakers) and not urgent:
        # What people say among themselves is not answered; a model that is asked later may know of it.
        several = speakers == 2 and session.listening == "auto" and not event.for_others
        told = (Post(f"{session.id}:several", plain(SEVERAL, "🔈"), only="new"),) if several else ()
        return Decision((*heard, _posted(event, turn_id), *told))
    return (say(state, event, turn_id) if drives else _guest(state, event, turn_id)).after(*heard)


def _heard(state: ThreadState, event: Event) -> tuple[Heard, ...]:
    """Note that somebody has spoken, unless that is known, by this name."""
    known = any(person.spoke and person.author == event.author for person in state.people)
    return () if known else (Heard(event.author),)


def _guest(state: ThreadState, event: Event, turn_id: str) -> Decision:
    """A message of somebody who may not drive: it waits for the owner's word, where there may be one."""
    if state.standing(event.author.id) == "denied" or state.session.access == "nobody":
        return Decision((_posted(event, turn_id, mark=REFUSED),))
    if unread := _unread(event):
        return Decision((_posted(event, turn_id, mark=REFUSED), notice(turn_id, unread, "❗")))
    held = Hold(turn_id, event)
    return Decision((_posted(event, turn_id, turn_id, "🔑"), held, asked(state, event, turn_id)))


def _posted(event: Event, key: str, turn_id: str = "", mark: str = "") -> Post:
    """Write a person's message into the transcript, with the mark that the bot puts on it."""
    text = _text(event)
    text = text if len(text) <= MAX_MESSAGE_CHARS else text[:2_000] + " …"
    files = "".join(f"\n📎 {file.name}" for file in event.files)
    doc = plain(printable(text) + files)
    return Post(f"{key}{PERSON}", doc, "person", event.author.name, turn_id, event.remote_id, mark)


def _text(event: Event) -> str:
    return event.target if event.kind == "command" else event.text


def say(state: ThreadState, event: Event, turn_id: str) -> Decision:
    """Act on a message of somebody who may drive: a command, a new turn, a place in the queue, or a steer."""
    text = _text(event)
    if problem := _problem(with_context(text, event), with_files=bool(event.files)):
        return Decision((_posted(event, turn_id, mark="❗"), notice(turn_id, problem, "❗")))
    verb, target = command_in(text)
    if verb:
        return _word(Call(state, event, event.author, turn_id, target), verb)
    question, beside = _without_last(text, "btw")
    posted = _posted(event, turn_id, turn_id, ACCEPTED)
    if beside:
        return _started(state, event, turn_id, "aside", with_context(question, event)).after(posted)
    text, waits = _without_last(text, "queue")
    text = with_context(text, event)
    if state.line and not waits and not event.files:
        running = (state.running or state.line[0]).request.turn_id
        steer = Tell(running, Signal("steer", event.author, text, f"{turn_id}{PERSON}"))
        return Decision((_posted(event, turn_id, running, ACCEPTED), steer), running)
    decision = _started(state, event, turn_id, "message", text).after(posted)
    if not state.line:
        return decision
    return decision.before(Post(f"{turn_id}{QUEUED}", queued(turn_id, len(state.line)), turn_id=turn_id))


def _word(call: Call, verb: str) -> Decision:
    """A command said as a word; what it has to say is posted into the thread."""
    turn_id, posted = call.turn_id, _posted(call.event, call.turn_id, call.turn_id, ACCEPTED)
    decision = acted(COMMANDS[verb].run(call), call.state)
    if decision.query is not None:
        started = _started(call.state, call.event, turn_id, "query", decision.query.verb, decision.query.about)
        return started.after(posted, *decision.effects)
    effects: list[Effect] = [posted, *decision.effects]
    if decision.doc is not None:
        effects.append(Post(f"{turn_id}{NOTICE}", decision.doc))
    if decision.turn_id not in ("", turn_id):
        effects.append(Move(f"{turn_id}{PERSON}", decision.turn_id, ACCEPTED))
    elif not decision.turn_id:
        effects.append(Mark(turn_id, decision.doc.mark if decision.doc else "✅"))
    return Decision(tuple(effects), decision.turn_id)


def acted(decision: Decision, state: ThreadState) -> Decision:
    """Return a decision with what follows from the message that it hands on."""
    if decision.then is None:
        return decision
    return say(state, decision.then.event, decision.then.turn_id).after(*decision.effects)


def _started(state: ThreadState, event: Event, turn_id: str, kind: TurnKind, text: str, target: str = "") -> Decision:
    request = TurnRequest(turn_id, state.session.id, kind, text, event.author, event.link, target, event.files)
    effects: list[Effect] = []
    if kind == "message" and (question := state.ended(("asked",))):
        # An answer after which something else was said has no buttons any more.
        effects.append(TakeButtons(f"{question}{REPLY}"))
    return Decision((*effects, Join(request)), turn_id)


def edited(state: ThreadState, event: Event, turn_id: str) -> Decision:
    """An edit changes what still waits; of what has started it is a correction. Unfurled links are no edit."""
    shown = state.message
    if shown is None:
        return message(state, event, turn_id) if event.mentioned else NOTHING
    if shown.kind != "person" or shown.words == printable(event.text) or not event.text.strip():
        return NOTHING
    key = shown.key.removesuffix(PERSON)
    held = state.held.get(key)
    if held is not None and held.state == "open":
        now = replace(held.event, text=event.text)
        return Decision((Decide(held.id, "open", now), _posted(event, key, key, "🔑"), asked(state, now, key)))
    if not shown.turn_id and not shown.mark:
        # It was not meant for the bot, and may be now.
        return message(state, event, turn_id).after(LetGo(shown.id))
    if not may_drive(state.session, state.standing(event.author.id)):
        # What was let through once was let through as it was.
        return NOTHING
    if problem := _problem(event.text, with_files=False):
        return Decision((notice(turn_id, problem, "❗"),))
    return _corrected(state, shown, event, turn_id)


def _corrected(state: ThreadState, shown: Message, event: Event, turn_id: str) -> Decision:
    """The message changes in the turn that it waits in or is part of; else it begins one."""
    waits, whole = _waiting_for(state, shown), _part_of(state, shown)
    effects: list[Effect] = [_posted(event, shown.key.removesuffix(PERSON), shown.turn_id)]
    text, still = _without_last(event.text, "queue")
    if waits is not None:
        request = waits.request
        wish = request.kind == "message" and request.message == shown.key and not command_in(shown.words)[0]
        if wish and (still or not _without_last(shown.words, "queue")[1]):
            return Decision((*effects, Rewrite(replace(request, text=text, resumes=""))))
        effects += dropped(waits)
        if not wish:
            return Decision(tuple(effects))
    elif whole is None:
        # What it said before is not resumed.
        effects.append(GiveUp(shown.key))
        text = corrected(event.text)
    # It goes to the turn that it is part of, else to the one at work, else it begins one.
    part = whole if waits is None else None
    to = part or state.running
    if to is not None:
        number = to.request.turn_id
        effects.append(Tell(number, Signal("steer", event.author, text, shown.key)))
    else:
        number = turn_id
        request = TurnRequest(number, state.session.id, "message", text, event.author, event.link, said=shown.key)
        effects.append(Join(request))
    return Decision((*effects, Move(shown.key, number, ACCEPTED)), number)


def deleted(state: ThreadState, event: Event) -> Decision:
    """
    A deleted message that still waits is dropped, and what was added to a turn is taken out of it.

    Of one that has started it is only noted; if nothing comes of it, it is not resumed.
    """
    shown = state.message
    if shown is None or shown.kind != "person":
        return NOTHING
    effects: list[Effect] = []
    held, waits, whole = (
        state.held.get(shown.key.removesuffix(PERSON)),
        _waiting_for(state, shown),
        _part_of(state, shown),
    )
    if held is not None and held.state == "open":
        effects += taken_back(held)
    elif waits is not None:
        effects += dropped(waits)
    elif whole is not None and whole.request.message != shown.key:
        effects.append(Tell(whole.request.turn_id, Signal("withdraw", event.author, said=shown.key)))
    heard = shown.doc.blocks if shown.turn_id or shown.mark else ()
    gone = Post(shown.key, Doc((*heard, DELETED)), "person", shown.author, shown.turn_id)
    return Decision((*effects, GiveUp(shown.key), gone))


def _waiting_for(state: ThreadState, shown: Message) -> Unfinished | None:
    """Return the turn that the message asked for, if it has not started."""
    for turn in state.line:
        if not turn.running and shown.key in (turn.request.message, f"{turn.request.turn_id}{PERSON}"):
            return turn
    return None


def _part_of(state: ThreadState, shown: Message) -> Unfinished | None:
    """Return the unfinished turn that a message asked for or was said to."""
    for turn in state.line:
        keys = (turn.request.message, *(signal.said for signal in turn.request.added))
        if turn.request.turn_id == shown.turn_id or shown.key in keys:
            return turn
    return None


def _without_last(text: str, word: str) -> tuple[str, bool]:
    """Return a message without a last word that says what is to be done with it (“…. queue”), and whether it had it."""
    rest = text.rstrip(" \t\n.!?")
    if not rest.lower().endswith(word):
        return text, False
    before = rest[: -len(word)].rstrip(" \t")
    alone = before.endswith((".", "!", "?", ",", "\n"))
    kept = before[:-1] if alone else ""
    return (kept, True) if kept.strip(" \t\n.!?,") else (text, False)


def _unread(event: Event) -> str:
    """Say why a guest's message cannot be decided on: its words are in a file, and who decides reads the whole of it."""
    if event.text.strip() or [file.name for file in event.files] != [PASTED]:
        return ""
    return f"{event.author.name}, that came as a file. The person who decides has to read your request, so please send it in shorter messages."


def _problem(text: str, *, with_files: bool) -> str:
    """Return what is wrong with a message, '' for nothing."""
    if not text.strip() and not with_files:
        return "The message is empty. Tell me what you would like."
    if len(text) > MAX_MESSAGE_CHARS:
        return f"The message has {len(text):,} characters; I read up to {MAX_MESSAGE_CHARS:,}. Send the rest as a file, or in parts."
    if "\x00" in text or sum(not can_stand(char) and char != "\r" for char in text) > len(text) // 20:
        return "That looks like a binary file, not text. Describe in words what you would like."
    return ""
