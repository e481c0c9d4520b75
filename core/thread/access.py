"""Who may start a session, who may drive it, and which messages are meant for the bot. Pure rules; they fail closed."""

import re
from collections.abc import Sequence
from dataclasses import dataclass

from core.chat import Event
from core.sessions import Author, Session
from core.thread.state import Standing
from core.wording import printable

DRIVERS = {"everyone": ("owner", "invited", "guest"), "invited": ("owner", "invited"), "owner": ("owner",)}
"""Whose messages are acted on, by the thread's setting; nobody's where it is paused."""
MENTION = re.compile(r"<@!?(\w{1,40})(?:\|[^<>]*)?>")


@dataclass(frozen=True)
class StartRules:
    """Channels in which a session may be started, and people or roles who may; an empty list allows all."""

    channels: frozenset[str] = frozenset()
    people: frozenset[str] = frozenset()

    def refusal(self, event: Event) -> str:
        """Return why the event may not start a session, '' if it may."""
        if event.thread.platform == "local":
            return ""
        if self.channels and event.thread.channel not in self.channels:
            return "I'm not allowed to build in this channel. Ask the person who runs me to add it, or use another channel."
        if self.people and not self.people & {event.author.id, *event.roles}:
            return "You're not on the list of people who can start a thread with me. Ask the person who runs me."
        return ""


def may_drive(session: Session, standing: Standing) -> bool:
    """Say whether somebody of this standing may drive the session; what is not known is refused."""
    return session.key.platform == "local" or standing in DRIVERS.get(session.access, ())


def is_addressed(session: Session, event: Event, speakers: int) -> bool:
    """Say whether a message in the session's thread is meant for the bot, with so many people talking in it."""
    if session.key.platform == "local":
        return True
    if event.for_others:
        # What begins with somebody else's name is said to them, whoever else is named in it.
        return False
    if event.mentioned or session.listening == "mention":
        return event.mentioned
    return session.listening == "always" or speakers <= 1


def with_names(text: str, people: Sequence[Author]) -> str:
    """Return a text in which those whom it mentions by their id have the names that people read."""
    names = {person.id: " ".join(re.sub(r"[<>@]", " ", person.name).split())[:80] for person in people}
    return MENTION.sub(lambda match: f"@{names[match[1]]}" if names.get(match[1]) else match[0], text)


def with_context(text: str, event: Event) -> str:
    """Return what a message says, with the one of somebody else that it answers."""
    return f"{text}\n\nIn answer to this message of {event.replied_to}".strip() if event.replied_to else text


def asked_for(event: Event) -> str:
    """Return the whole of what a message asks for, as the person who decides on it reads it."""
    return printable(with_context(event.text, event) + "".join(f"\n📎 {file.name}" for file in event.files))
