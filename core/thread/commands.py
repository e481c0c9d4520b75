"""
The commands of a thread, one row each: a word, a slash command, a button and a reaction mean the same.

Help, the platforms' lists of commands, menus, buttons and reactions are made from this table.
"""

import re
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Literal

from core.chat import Event
from core.thread import approvals, line, settings, undo
from core.thread.decisions import Call, Decision, Heard, Query, QueryVerb, Say, answer, refusal
from core.thread.settings import wanted_settings
from core.thread.transcript import APPROVAL, Message
from core.thread.troubles import fix

INVITE = re.compile(r"/?(?:(?P<un>uninvite)\s+@?|invite\s+@)(?P<who>[^\n<>@]{1,80}?)\s*[.!]?", re.I)
"""To invite takes a mention: “invite guests by mail” is a wish."""
BROKE = re.compile(r"(?:when|since when) did (?P<what>.{1,120}?) (?:break|fail|stop working)\s*\?*", re.I)
INTRODUCTION = (
    "Say what you want, in your own words. While I work, another message is taken into account; one that ends in “. queue” waits "
    "its turn, one that ends in “. btw” is a question beside the work."
)


@dataclass(frozen=True)
class Command:
    """
    One command.

    `asks` says what the words are that its slash command takes. `label` and `icon` are on its button, which looks the way `style` says, and `hint` explains it where the label alone does not;
    `menu` is in the menu of a message, `slash` in a platform's list of commands. `words` are messages that are nothing but the
    command. `emoji` is its reaction, which counts only on a message with one of the buttons `on`, where that names any, and
    `removed` the command that taking the reaction away gives. `help` goes on after the words. `doing` is what the person sees at
    once who pressed a button. `urgent` ones need no mention; a thread's owner may give those that work `always` to a paused
    thread, too. A `slow` one is answered after a while.
    """

    verb: str
    run: Callable[[Call], Decision]
    label: str = ""
    icon: str = ""
    style: Literal["", "main", "good", "bad"] = ""
    hint: str = ""
    menu: str = ""
    slash: str = ""
    words: tuple[str, ...] = ()
    emoji: str = ""
    on: tuple[str, ...] = ()
    removed: str = ""
    help: str = ""
    doing: str = ""
    asks: str = ""
    urgent: bool = False
    always: bool = False
    slow: bool = False


def build(call: Call) -> Decision:
    """Start a thread with a wish, or say one in a thread that is there."""
    return Decision((Heard(call.author),), then=Say(call.event, call.turn_id))


def queue(call: Call) -> Decision:
    """Say a wish that waits for its turn."""
    words = call.target.rstrip(" .!?")
    return build(replace(call, event=replace(call.event, target=f"{words}. queue" if words else "")))


def bisect(call: Call) -> Decision:
    """Find the message after which something that was fine no longer was."""
    return Decision(query=Query("bisect", call.target))


def show_help(call: Call) -> Decision:
    """Say what can be said."""
    del call
    return answer(HELP)


def query(verb: QueryVerb) -> Callable[[Call], Decision]:
    """Return a command that only looks something up."""
    return lambda call: Decision(query=Query(verb, call.target))


def pick(number: int) -> Callable[[Call], Decision]:
    """Return a command that answers the latest question with its option `number`, from 1."""

    def picked(call: Call) -> Decision:
        turn = line.own(call.state, call.target)
        options = turn.result.options if turn is not None and turn.result is not None else ()
        if len(options) < number:
            return refusal("I didn't ask that in this thread.")
        if call.state.line or call.state.ended(("asked",)) != call.target:
            return refusal("That question has been answered; tell me in your own words instead.")
        event = Event(call.turn_id, call.state.session.key, call.author, text=options[number - 1])
        return Decision(then=Say(event, call.turn_id))

    return picked


_ROWS = (
    Command(
        "build", build, asks="What you would like to have; without it a form opens",
        slash="Build something in a new thread, or go on in this one; alone it opens a form", doing="Noted.",
    ),
    Command(
        "queue", queue, asks="What you would like to have after this", slash="Say something that waits for its turn", doing="Noted.",
    ),
    *(
        Command(f"answer_{number}", pick(number), f"{number}\ufe0f\u20e3", hint=f"Take the {nth}", emoji=f"{number}\ufe0f\u20e3")
        for number, nth in enumerate(("first", "second", "third", "fourth"), 1)
    ),
    Command(
        "undo", undo.undo, "Undo", icon="↩️", hint="Undo this turn", menu="Undo this turn", slash="Undo the latest turn",
        words=("undo",), emoji="↩️", removed="redo", help="revert that turn", doing="Undoing.", urgent=True,
    ),
    Command(
        "redo", undo.redo, "Redo", icon="↪️", hint="Redo this turn", slash="Bring back what was last undone", words=("redo",),
        emoji="↪️", help="bring it back; removing ↩️ does that, too", doing="Redoing.", urgent=True,
    ),
    Command("undo_to", undo.undo_to, menu="Undo to here", doing="Undoing what came after."),
    Command(
        "stop", line.stop, "Stop", icon="❌", style="bad", slash="Stop everything in this thread", words=("stop", "cancel", "abort"),
        emoji="❌", help="stop everything in this thread", doing="Stopping.", urgent=True,
    ),
    Command(
        "continue", line.resume, "Continue", icon="▶️", style="main", hint="Go on", slash="Continue what was stopped", words=("continue",),
        emoji="🔁", on=("continue",), help="pick up what was stopped", doing="Going on.",
    ),
    Command(
        "retry", line.resume, "Retry", icon="🔁", style="main", hint="Try again", words=("retry",), emoji="🔁", on=("retry",),
        doing="Trying again.",
    ),
    Command("drop", line.drop, "Remove", icon="🗑️"),
    Command("let_in", approvals.let_in, help="invite @somebody, uninvite @somebody: who else may drive this thread"),
    Command("uninvite", approvals.uninvite, "Take it back"),
    Command(
        "allow", approvals.allow, "Allow once", style="good", emoji="👍", on=("allow",), removed="withdraw",
        doing="Let through.",
    ),
    Command("invite", approvals.invite, "Invite", style="main"),
    Command("deny", approvals.deny, "Deny", style="bad", emoji="👎", on=("deny",)),
    Command("review", approvals.review, "Read it whole", icon="📖"),
    Command("decide", approvals.decide),
    Command("withdraw", approvals.withdraw),
    Command("agree", settings.agree, "Agree", style="good", hint="Do it", emoji="👍", on=("agree",)),
    Command("refuse", settings.refuse, "No", style="bad", hint="Leave it", emoji="👎", on=("refuse",)),
    Command(
        "status", settings.status, slash="Show what is going on", words=("status",), help="show what is running and waiting", always=True,
    ),
    Command(
        "diff", query("diff"), "Diff", icon="📄", slash="Show what changed", words=("diff",), help="show what changed", slow=True,
    ),
    Command(
        "checks", query("checks"), "Checks", icon="🔎", slash="Show what was checked", words=("checks",), help="show what was checked",
        slow=True,
    ),
    Command(
        "preview", query("preview"), slash="Get a fresh link to the preview", words=("preview",), help="get a new link to the app",
        slow=True,
    ),
    Command("export", query("export"), slash="Get the code", words=("export",), help="get the code", slow=True),
    Command(
        "settings", settings.show_settings, "Settings", icon="⚙️", slash="Who can drive, what I listen to, what I show",
        words=("settings",), help="show or change who can do what", always=True,
    ),
    Command("set", settings.change_settings, always=True),
    Command(
        "revoke", settings.revoke, slash="Revoke every link to the preview", words=("revoke",),
        help="make every link to the preview stop working",
    ),
    Command(
        "fix", fix, "Fix it", icon="🔧", slash="Fix an error in the running app", words=("fix",), emoji="🔧",
        help="fix an error in the running app",
    ),
    Command(
        "reset_data", settings.reset_data,
        help="reset data: delete everything the running app has stored. That, and a preview for everyone, needs a second person "
        "where several have a say",
    ),
    Command(
        "waive", undo.waive, "This is fine", icon="👌", slash="Accept a change that the checks blocked", emoji="👌", on=("waive",),
        help="this is fine, with your reason: accept a change that the checks blocked",
    ),
    Command(
        "bisect", bisect, help="when did … break?: find the message after which a check or a test no longer passed",
    ),
    Command(
        "reconcile", undo.reconcile, "Reconcile", icon="🤝", hint="Do it again on top of what is there", emoji="🤝",
        on=("reconcile",),
    ),
    Command("keep_mine", undo.keep_mine, "Keep this change", icon="➡️", emoji="➡️", on=("keep_mine",)),
    Command("keep_theirs", undo.keep_theirs, "Keep what is there", icon="⬅️", emoji="⬅️", on=("keep_theirs",)),
    Command(
        "sides", undo.show_sides, "Show the code", icon="🔍", hint="Show the code of both sides", emoji="🔍", on=("sides",),
    ),
    Command("help", show_help, slash="Show what I can do", words=("help",), always=True),
)  # fmt: skip
COMMANDS = {command.verb: command for command in _ROWS}
"""Every command, by its verb, in the order of the help."""
STARTS = ("build", "queue")
"""The commands that may begin a thread."""
BUTTONS = {command.verb: command for command in _ROWS if command.label}
"""The commands that have a button."""
MENU = {command.menu: command.verb for command in _ROWS if command.menu}
"""What a message's menu offers, with the command that it gives."""
WORDS = {word: command.verb for command in _ROWS for word in command.words}


def _help() -> str:
    lines = [INTRODUCTION]
    for command in _ROWS:
        if command.help and not command.words:
            lines.append(f"{command.help}.")
        elif command.help:
            reaction = f", or {command.icon} on a reply" if command.emoji and not command.on else ""
            lines.append(f"{command.words[0]}{reaction}: {command.help}.")
    return "\n".join([*lines, "👍 and 👎 on a reply are stored."])


HELP = _help()


def plain_emoji(emoji: str) -> str:
    """Return an emoji by its meaning: without variation selectors and skin tones."""
    return "".join(char for char in emoji if char != "\ufe0f" and not "\U0001f3fb" <= char <= "\U0001f3ff")


def reacted(emoji: str, message: Message, *, added: bool) -> tuple[str, str]:
    """
    Return the command that a reaction on a message gives, and its target; two empty strings for none.

    What a button of the message aims at, its reaction aims at, too. ❌ counts on any message, all others on replies and cards.
    """
    for command in _ROWS:
        verb = command.verb if added else command.removed
        if not verb or plain_emoji(command.emoji) != plain_emoji(emoji):
            continue
        if not added and command.on:
            # Once decided, a card has no buttons any more.
            if message.key.endswith(APPROVAL):
                return verb, message.key.removesuffix(APPROVAL)
            continue
        if command.on and not message.offers(*command.on):
            continue
        aim = next((action.target for action in message.doc.actions if action.verb == verb and action.target), "")
        on_turn = message.kind in ("reply", "progress") and message.turn_id
        if verb == "stop" or on_turn or aim:
            return verb, aim or message.turn_id
    return "", ""


def command_in(text: str) -> tuple[str, str]:
    """Return the verb and target of a message that is nothing but a command, else two empty strings."""
    words = text.strip().strip("/!.").casefold().split()
    if match := INVITE.fullmatch(text.strip()):
        return ("uninvite" if match["un"] else "let_in"), match["who"].strip()
    if len(words) == 1 and words[0] in WORDS:
        return WORDS[words[0]], ""
    if words[:2] == ["reset", "data"] and words[2:] in ([], ["yes"]):
        return "reset_data", "".join(words[2:])
    if undo.FINE.fullmatch(text.strip()):
        return "waive", ""
    if match := BROKE.fullmatch(text.strip()):
        return "bisect", match["what"]
    if len(words) == 3 and words[0] == "set" and wanted_settings(" ".join(words[1:])):
        return "set", " ".join(words[1:])
    return "", ""
