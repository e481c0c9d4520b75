"""The commands of a thread: words, slash commands, buttons and reactions mean the same, one function each."""

import re
from dataclasses import replace
from typing import Literal

from adapters.store.messages import plain
from bot.approvals import (
    agree,
    allow,
    asked_first,
    decide,
    deny,
    invite,
    let_in,
    refuse,
    review,
    uninvite,
    withdraw,
)
from bot.calls import Call, Command, Outcome, drop_turn, said, with_added
from bot.people import LABELS, settings_form, settings_lines, settings_text, wanted_settings
from bot.troubles import KEY, wish
from core.chat import Event
from core.findings import blocking
from core.messages import Action, DiffText, Doc, Para, Signal, TurnRequest
from core.steering import MOST_NAMED
from core.wording import inert, listed, quoted

RESUMABLE = ("stopped", "failed", "over_budget")
WAIVABLE = "blocked"
UNDONE = (*RESUMABLE, WAIVABLE, "asked")
"""How a turn ends that changed nothing and may be taken up again, unless its message is taken back."""

FINE = re.compile(
    r"(?:(?:this|that|it) is fine|waive(?: (?:it|this|that))?)[.!]?(?:(?::|,? because|,? since)\s+(?P<why>[^\n]{1,300}))?",
    re.I | re.S,
)
IN_SPITE = (
    "An undo clashes with later work; “the other side” is what it would bring back. Bring that back, and keep what the "
    "later work was for."
)
INVITE = re.compile(r"/?(?:(?P<un>uninvite)\s+@?|invite\s+@)(?P<who>[^\n<>@]{1,80}?)\s*[.!]?", re.I)
"""To invite takes a mention: “invite guests by mail” is a wish."""
BROKE = re.compile(r"(?:when|since when) did (?P<what>.{1,120}?) (?:break|fail|stop working)\s*\?*", re.I)

HELP = """Say what you want, in your own words. While I work, another message is taken into account; one that ends in “. queue” waits its turn, one that ends in “. btw” is a question beside the work.
undo, or ↩️ on a reply: take that turn back. redo, or ↪️, or taking ↩️ away: bring it back.
stop, or ❌: stop everything in this thread. continue: go on with what was stopped.
invite @somebody, uninvite @somebody: who else may drive this thread.
status, diff, checks, preview, export, settings: what is going on, what changed, what was checked, the link, the code, who may do what. revoke: take every link to the preview back. fix: mend an error of the running app. reset data: remove what the running app has stored. That, and a preview for everyone, needs a second person where several have a say.
this is fine, with your reason: take a change that my checks kept out. when did … break?: find the message after which a check or a test no longer passed.
👍 and 👎 on a reply are stored."""


async def undo(call: Call) -> Outcome:
    """Stop what runs, then take back `target`, or the latest turn."""
    return await _reverse("undo", call)


async def redo(call: Call) -> Outcome:
    """Bring back `target`, or the turn undone last."""
    return await _reverse("redo", call)


async def undo_to(call: Call) -> Outcome:
    """Take back every turn after `target`."""
    return await _reverse("undo", replace(call, target=f"after:{call.target}"))


async def _reverse(kind: Literal["undo", "redo"], call: Call) -> Outcome:
    """
    Queue a reversal; one that is the opposite of another that still waits, or the same as one under way, is none.

    An undo ends what is being built; a redo waits for it.
    """
    waiting = await call.inbox.turns.waiting(call.tx, call.session.id)
    same = [one for one in waiting if call.target and one[0].target == call.target and one[0].kind in ("undo", "redo")]
    if same:
        request, running = same[-1]
        if request.kind == kind:
            return Outcome(request.turn_id)
        if not running:
            await drop_turn(call, request)
            return Outcome()
    elif kind == "undo" and (left := await stop_all(call, [one for one in waiting if one[0].kind == "message"])):
        await call.inbox.notice(call, f"Undo comes first. {left}", "⏹️")
    await call.inbox.lines.join(
        call.tx, TurnRequest(call.turn_id, call.session.id, kind, kind, call.author, target=call.target)
    )
    return Outcome(call.turn_id)


async def stop(call: Call) -> Outcome:
    """Stop everything in the thread; one summary says what was going on and what is left."""
    waiting = await call.inbox.turns.waiting(call.tx, call.session.id)
    if not waiting:
        return said("Nothing is running.")
    if left := await stop_all(call, waiting):
        await call.inbox.notice(call, f"Stopped by {call.author.name} before it started. {left}", "⏹️")
    return Outcome()


async def stop_all(call: Call, waiting: list[tuple[TurnRequest, bool]]) -> str:
    """
    Drop what waits, tell what runs to stop, and return what is left undone if nothing ran.

    Where nothing ran yet the first is what was stopped, and what “continue” goes on with.
    """
    running = [request for request, runs in waiting if runs]
    queued = [request for request, runs in waiting if not runs]
    wishes = [wish for request in queued for wish in await _wishes(call, request)]
    left = f"Left undone: {listed(quoted(wishes), MOST_NAMED)}." if wishes else ""
    for at, request in enumerate(queued):
        await drop_turn(call, request, "dropped" if at or running else "stopped")
    for request in running:
        await call.inbox.engine.tell(call.tx, request.turn_id, Signal("stop", call.author, left))
    return "" if running else left


async def _wishes(call: Call, request: TurnRequest) -> list[str]:
    """Return what a turn is asked, and what was added to it, each on one line and shortened."""
    said = [request.text, *(one.text for one in (await with_added(call, request)).added)]
    return [inert(one)[:60] for one in said]


async def drop(call: Call) -> Outcome:
    """Take a message out of the queue."""
    waiting = await call.inbox.turns.waiting(call.tx, call.session.id)
    for request, running in waiting:
        if request.turn_id == call.target and not running:
            await drop_turn(call, request)
            await call.inbox.give_up(call.tx, call.session.id, request.message)
            return said("Removed from the queue.", "⏹️")
    return said("That one has started already; say stop to end it.", "❗")


async def resume(call: Call) -> Outcome:
    """Do a turn again; one that was stopped or failed on the way uses the work that was finished."""
    target = call.target or await call.inbox.turns.latest(call.tx, call.session.id, RESUMABLE)
    if not target:
        return said("There is nothing to go on with.", "❗")
    found = await call.inbox.turns.within(call.tx, target)
    if found is None:
        return said("There is nothing to go on with.", "❗")
    request, result = found
    if result is None:
        return said("That one is not finished yet.", "❗")
    if request.session_id != call.session.id:
        return said("That turn belongs to another thread.", "❗")
    if result.outcome in ("dropped", "withdrawn"):
        return said("That was taken back. Say it again if you want it after all.", "❗")
    return await _again(call, request, kept=result.outcome in RESUMABLE)


async def _again(call: Call, request: TurnRequest, *, kept: bool, base: str = "") -> Outcome:
    """Do a request once more; `kept` uses what the models answered then, `base` is where it starts."""
    inbox, tx = call.inbox, call.tx
    waiting = await inbox.turns.waiting(tx, call.session.id)
    if there := next((one for one, _ in waiting if one.message == request.message), None):
        return Outcome(there.turn_id)
    resumes = (request.resumes or request.turn_id) if kept else ""
    gone = await inbox.messages.deleted(tx, [one.said for one in request.added])
    again = replace(
        request, turn_id=call.turn_id, resumes=resumes, base=base, helpers=(*request.helpers, call.author),
        said=request.message, added=tuple(one for one in request.added if one.said not in gone),
    )  # fmt: skip
    await inbox.lines.join(tx, again)
    return Outcome(call.turn_id)


def settle(how: Literal["mine", "theirs", "reconcile"]) -> Command:
    """Return a command that settles a clash: this turn's lines count, those that are there stay, or it is done again."""

    async def decide(call: Call) -> Outcome:
        found = await call.inbox.turns.within(call.tx, call.target) if call.target else None
        request, result = found if found else (None, None)
        if request is None or result is None or not result.clashed or request.session_id != call.session.id:
            return said("That is no change that clashed with another one.", "❗")
        if how == "theirs":
            return said("The app stays as it is now.")
        if how == "reconcile" and request.kind in ("undo", "redo"):
            text = f"{'Undo' if request.kind == 'undo' else 'Redo'} that, and keep what later turns did."
            about = f"{IN_SPITE}\n\n{result.message}\n\n{result.sides}"
            await call.inbox.lines.join(
                call.tx, TurnRequest(call.turn_id, call.session.id, "message", text, call.author, about=about)
            )
            await call.inbox.notice(call, f"{call.author.name} asked me to work it out.", "👀")
            return Outcome(call.turn_id)
        # By now another turn may be the latest.
        request = replace(request, target=request.target or result.target)
        return await _again(call, request, kept=how == "mine", base=result.parent if how == "mine" else "")

    return decide


async def show_sides(call: Call) -> Outcome:
    """Show the code of both sides of a clash, which its answer only names."""
    found = await call.inbox.turns.within(call.tx, call.target) if call.target else None
    request, result = found if found else (None, None)
    if request is None or result is None or not result.sides or request.session_id != call.session.id:
        return said("That is no change that clashed with another one.", "❗")
    return Outcome(doc=Doc((Para("Both sides of it:"), DiffText(result.sides)), "🔍"))


async def waive(call: Call) -> Outcome:
    """Say that what kept a change out is fine, and do it again with the same answers of the models."""
    target = call.target or await call.inbox.turns.latest(call.tx, call.session.id, (WAIVABLE,))
    found = await call.inbox.turns.within(call.tx, target) if target else None
    request, result = found if found else (None, None)
    findings = blocking(result.checks) if result and result.outcome == WAIVABLE else ()
    if request is None or not findings or request.session_id != call.session.id:
        return said("No finding of mine keeps a change out.", "❗")
    match = FINE.fullmatch(call.said.strip())
    why = (match["why"] or "") if match else ""
    await call.inbox.waivers.waive(call.tx, call.session.id, [one.fingerprint for one in findings], call.author, why)
    return await _again(call, request, kept=True)


def answer(number: int) -> Command:
    """Return a command that answers the latest question with its option `number`, from 1."""

    async def pick(call: Call) -> Outcome:
        inbox, tx = call.inbox, call.tx
        found = await inbox.turns.within(tx, call.target)
        options = found[1].options if found and found[1] and found[0].session_id == call.session.id else ()
        if len(options) < number:
            return said("That is no question of mine in this thread.", "❗")
        later = await inbox.turns.waiting(tx, call.session.id)
        if later or await inbox.turns.latest(tx, call.session.id, ("asked",)) != call.target:
            return said("That question is answered already; say it in words.", "❗")
        event = Event(call.turn_id, call.session.key, call.author, text=options[number - 1])
        return Outcome(await inbox.say(tx, call.session, event, call.turn_id))

    return pick


async def status(call: Call) -> Outcome:
    """Say what is running and waiting, and who may drive."""
    waiting = await call.inbox.turns.waiting(call.tx, call.session.id)
    lines = [
        f"{'Running' if running else 'Waiting'}: {listed(quoted(await _wishes(call, request)), MOST_NAMED)}"
        for request, running in waiting
    ]
    owners = await call.inbox.people.owners(call.tx, call.session.id)
    whose = [f"Started by {owners[0].name}."] if owners else []
    there = await call.inbox.people.there(call.tx, call.session.id)
    guests = [author.name for author, standing in there if standing == "invited"]
    whose += [f"Invited: {', '.join(guests)}."] if guests else []
    text = "\n".join([*(lines or ["Nothing is running."]), *whose, settings_lines(call.session)])
    return Outcome(doc=replace(plain(text, "✅"), actions=(Action("settings"),)))


async def show_help(call: Call) -> Outcome:
    """Say what can be said."""
    del call
    return said(HELP)


async def show_settings(call: Call) -> Outcome:
    """Show the settings, with a form where the platform has forms."""
    doc = replace(plain(settings_text(call.session), "✅"), actions=(Action("settings"),))
    return Outcome(doc=doc, form=settings_form(call.session))


async def change_settings(call: Call) -> Outcome:
    """Change settings of the thread, and of new threads in its channel when asked to; the owner's right."""
    wanted = wanted_settings(call.target)
    scope = wanted.pop("scope", "thread")
    if not call.owns:
        return said("Only who started this thread can change its settings.", "❗")
    if not wanted:
        return said(f"I know no such setting.\n{settings_text(call.session)}", "❗")
    if wanted.get("sharing") == "public" != call.session.sharing and await asked_first(call, "set"):
        return Outcome()
    await call.inbox.sessions.change(call.tx, call.session, **wanted)
    if scope == "channel":
        await call.inbox.sessions.show_in_channel(call.tx, call.session.key, wanted.get("verbosity", ""))
        await call.inbox.sessions.change_place(call.tx, call.session.key, **wanted)
    changed = replace(call.session, **wanted)  # type: ignore[arg-type]
    lines = [f"{LABELS[one]}: {getattr(changed, one)}" for one in wanted]
    if wanted.get("access") == "nobody":
        lines.append("You can still say “settings”, “set …”, “status” and “help” here, because you started it.")
    return said("\n".join(["Changed.", *lines]))


async def fix(call: Call) -> Outcome:
    """Start a turn that mends an error of the running app, the latest one unless one is named."""
    inbox, tx = call.inbox, call.tx
    message = await inbox.messages.by_key(tx, call.target) if call.target else None
    message = message or await inbox.messages.latest_with(tx, call.session.id, KEY)
    if message is None or message.session_id != call.session.id:
        return said("I know of no error of the running app.", "❗")
    await inbox.messages.post(tx, call.session.id, message.key, "notice", replace(message.doc, actions=()))
    event = Event(call.turn_id, call.session.key, call.author, text=wish(message.doc))
    return Outcome(await inbox.say(tx, call.session, event, call.turn_id))


async def revoke(call: Call) -> Outcome:
    """Take back every link to the preview that was given out; the owner's right."""
    if not call.owns:
        return said("Only who started this thread can take its links back.", "❗")
    await call.inbox.sessions.revoke_links(call.tx, call.session)
    return said("No link that I gave out until now opens the preview any more. “preview” gives a fresh one.")


async def reset_data(call: Call) -> Outcome:
    """Remove what the running app has stored; the owner's right."""
    if not call.owns:
        return said("Only who started this thread can remove what its app has stored.", "❗")
    sure = replace(call, agreed=call.agreed or await _is_sure(call))
    if await asked_first(sure, "reset_data"):
        return Outcome()
    return Outcome(query="reset_data")


async def _is_sure(call: Call) -> bool:
    """Say whether somebody who is alone here has said “yes” with it."""
    return call.target == "yes" and not await call.inbox.people.others(call.tx, call.session, call.author.id)


async def bisect(call: Call) -> Outcome:
    """Find the message after which something that was fine no longer was."""
    return Outcome(query=f"bisect {call.target}".strip())


def query(verb: str) -> Command:
    """Return a command that only looks something up."""

    async def look(call: Call) -> Outcome:
        del call
        return Outcome(query=verb)

    return look


QUERIES = ("diff", "checks", "preview", "export")
COMMANDS: dict[str, Command] = {
    "undo": undo, "redo": redo, "undo_to": undo_to, "stop": stop, "continue": resume, "drop": drop, "allow": allow,
    "invite": invite, "let_in": let_in, "uninvite": uninvite, "deny": deny, "review": review, "decide": decide, "withdraw": withdraw, "agree": agree, "refuse": refuse, "status": status, "help": show_help, "settings": show_settings,
    "set": change_settings, "revoke": revoke, "fix": fix, "waive": waive, "bisect": bisect, "reset_data": reset_data,
    "keep_mine": settle("mine"), "keep_theirs": settle("theirs"), "reconcile": settle("reconcile"), "sides": show_sides, **{f"answer_{number}": answer(number) for number in range(1, 5)}, **{verb: query(verb) for verb in QUERIES},
}  # fmt: skip
WORDS = {
    **{verb: verb for verb in ("undo", "redo", "stop", "continue", "status", "help", "settings", "revoke", "fix", *QUERIES)},
    "cancel": "stop", "abort": "stop", "retry": "continue",
}  # fmt: skip
ADDED = {
    "↩": "undo",
    "↪": "redo",
    "❌": "stop",
    "🔧": "fix",
    "👌": "waive",
    "🔁": "continue",
    "➡": "keep_mine",
    "⬅": "keep_theirs",
    "🤝": "reconcile",
    "🔍": "sides",
} | {f"{number}\u20e3": f"answer_{number}" for number in range(1, 5)}
REMOVED = {"↩": "redo"}
ON_APPROVAL = {"👍": ("allow", "agree"), "👎": ("deny", "refuse")}


def plain_emoji(emoji: str) -> str:
    """Return an emoji by its meaning: without variation selectors and skin tones."""
    return "".join(char for char in emoji if char != "\ufe0f" and not "\U0001f3fb" <= char <= "\U0001f3ff")


def command_in(text: str) -> tuple[str, str]:
    """Return the verb and target of a message that is nothing but a command, else two empty strings."""
    words = text.strip().strip("/!.").casefold().split()
    if match := INVITE.fullmatch(text.strip()):
        return ("uninvite" if match["un"] else "let_in"), match["who"].strip()
    if len(words) == 1 and words[0] in WORDS:
        return WORDS[words[0]], ""
    if words[:2] == ["reset", "data"] and words[2:] in ([], ["yes"]):
        return "reset_data", "".join(words[2:])
    if FINE.fullmatch(text.strip()):
        return "waive", ""
    if match := BROKE.fullmatch(text.strip()):
        return "bisect", match["what"]
    if len(words) == 3 and words[0] == "set" and wanted_settings(" ".join(words[1:])):
        return "set", " ".join(words[1:])
    return "", ""
