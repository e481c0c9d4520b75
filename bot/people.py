"""Who may start a session, who may drive it, and which messages are meant for the bot. Pure rules; they fail closed."""

import re
from collections.abc import Sequence
from dataclasses import dataclass

from adapters.store.people import Standing
from core.chat import Choice, Event, Form
from core.sessions import Author, Session
from core.wording import printable

ACCESS = {
    "owner": "only who started it", "invited": "who started it and whom they let in",
    "everyone": "everyone in the channel", "nobody": "nobody, it is paused",
}  # fmt: skip
LISTENING = {
    "auto": "every message while one person talks, else mentions", "always": "every message", "mention": "mentions only",
}  # fmt: skip
VERBOSITY = {"answer": "the answer", "steps": "the answer and the steps", "everything": "steps and every file"}
SHARING = {"link": "people with a link from this thread", "public": "everyone"}
CHOICES = {"access": ACCESS, "listening": LISTENING, "verbosity": VERBOSITY, "sharing": SHARING}
LABELS = {
    "access": "Who may drive", "listening": "I listen to", "verbosity": "I show", "sharing": "The preview opens for",
    "scope": "Applies to",
}  # fmt: skip
SCOPE = {"thread": "this thread", "channel": "this thread and new ones in this channel"}
"""What is shown changes in the channel's other threads too, unless somebody chose there."""


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
            return "I am not allowed to build in this channel. Ask whoever runs me to add it, or use another channel."
        if self.people and not self.people & {event.author.id, *event.roles}:
            return "You are not on the list of people who may start something with me. Ask whoever runs me."
        return ""


def may_drive(session: Session, standing: Standing) -> bool:
    """Say whether somebody of this standing may drive the session; what is not known is refused."""
    if session.key.platform == "local":
        return True
    allowed = {"everyone": ("owner", "invited", "guest"), "invited": ("owner", "invited"), "owner": ("owner",)}
    return standing in allowed.get(session.access, ())


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


MENTION = re.compile(r"<@!?(\w{1,40})(?:\|[^<>]*)?>")


def with_names(text: str, people: Sequence[Author]) -> str:
    """Return a text in which those whom it mentions by their id have the names that people read."""
    names = {one.id: " ".join(re.sub(r"[<>@]", " ", one.name).split())[:80] for one in people}
    return MENTION.sub(lambda match: f"@{names[match[1]]}" if names.get(match[1]) else match[0], text)


def with_context(text: str, event: Event) -> str:
    """Return what a message says, with the one of somebody else that it answers."""
    return f"{text}\n\nIn answer to this message of {event.replied_to}".strip() if event.replied_to else text


def asked_for(event: Event) -> str:
    """Return the whole of what a message asks for, as who decides on it reads it."""
    return printable(with_context(event.text, event) + "".join(f"\n📎 {file.name}" for file in event.files))


def settings_form(session: Session) -> Form:
    """Return the form that changes a session's settings."""
    choices = [Choice(name, LABELS[name], values, getattr(session, name)) for name, values in CHOICES.items()]
    return Form("set", "Settings of this thread", [*choices, Choice("scope", LABELS["scope"], SCOPE, "thread")])


def settings_lines(session: Session) -> str:
    """Return the settings in words, one a line."""
    return "\n".join(f"{LABELS[name]}: {values[getattr(session, name)]}" for name, values in CHOICES.items())


def settings_text(session: Session) -> str:
    """Return the settings in words, and how to change them where there is no form."""
    how = "; ".join(f"set {name} {'|'.join(values)}" for name, values in CHOICES.items())
    return f"{settings_lines(session)}\nChange them by saying, for example: {how}."


def wanted_settings(text: str) -> dict[str, str]:
    """Return the settings that `name=value&…` or `name value` asks for; unknown names and values are left out."""
    pairs = [part.replace("=", " ", 1).split() for part in text.split("&")]
    known = {**CHOICES, "scope": SCOPE}
    return {pair[0]: pair[1] for pair in pairs if len(pair) == 2 and pair[1] in known.get(pair[0], ())}
