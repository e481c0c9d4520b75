"""What the terminal can do: turns, undo, history, export and import, on the same inbox as every platform."""

import argparse
import asyncio
import dataclasses
import difflib
import json
import sys
from dataclasses import replace
from datetime import datetime
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.markup import escape
from rich.syntax import Syntax
from rich.table import Table

from adapters.sandbox.docker import build_image
from adapters.store.migrate import upgrade
from bot.app import App
from bot.beside import Terminal, asked_of
from bot.replies import as_text, footer, reply
from bot.settings import Settings
from bot.web.chat import event_id, thread_key
from bot.wiring import opened
from core.chat import Event
from core.errors import UserError
from core.findings import MARKS, blocking
from core.history import Commit, Committed, Diff, Draft
from core.manifests import manifest_of
from core.messages import Progress, TurnResult
from core.projects import recognised
from core.sessions import Author, Session
from core.thread.transcript import REPLY
from core.turn import checked_late, finished
from core.undoing import explain_clashes

YOU = Author("terminal", "you")
POLL_SECONDS = 0.1
TURNS = ("ask", "undo", "redo", "import")
COLOURS = {"done": "green", "unverified": "yellow", "asked": "cyan"}
EXIT_CODES = {"done": 0, "asked": 0, "unverified": 0, "failed": 1}
"""The others end with 2."""


async def run(arguments: argparse.Namespace, settings: Settings) -> int:
    """Run one command of the terminal and return its exit code."""
    if arguments.command == "migrate":
        settings.data_dir.mkdir(parents=True, exist_ok=True)
        await upgrade(settings.store_url)
        print("The database is up to date.")
        return 0
    if arguments.command == "slack-manifest":
        from adapters.chat.slack.manifest import app_manifest

        print(app_manifest(arguments.events_url), end="")
        return 0
    if arguments.command == "discord-invite":
        from adapters.chat.discord.invite import invite_link

        print(invite_link(settings.discord_token.get_secret_value()))
        return 0
    if arguments.command == "build-image":
        print(f"Built {await asyncio.to_thread(build_image, arguments.base_image)}")
        return 0
    folder = settings.data_dir.resolve()
    if not folder.exists() and (arguments.data_dir or arguments.command not in ("ask", "import")):
        raise UserError(
            f"There is no data directory {folder}. Make the folder if it shall be a new one; `serve` does so too."
        )
    if arguments.command == "ask" and arguments.text == "-":
        arguments.text = sys.stdin.read()
    if (code := await asked_of(folder, arguments)) is not None:
        return code
    async with opened(settings, previews=arguments.command in TURNS, any_port=True) as app:
        return await carried_out(app, arguments, Terminal(Console(), Console(stderr=True)), once=True)


async def carried_out(app: App, arguments: argparse.Namespace, terminal: Terminal, *, once: bool = False) -> int:
    """Carry out one command and return its exit code; `once` says that the bot runs for this alone."""
    if arguments.command in TURNS:
        return await _turn(app, arguments, terminal, once=once)
    found, text, code = await LOOKS[arguments.command](app, arguments)
    terminal.line(json.dumps(found) if arguments.json else text)
    return code


async def _turn(app: App, arguments: argparse.Namespace, terminal: Terminal, *, once: bool) -> int:
    """Do one turn and show it."""
    result, session = await _result(app, arguments, terminal.err if arguments.json else terminal.out)
    if arguments.json:
        terminal.line(json.dumps(as_json(session, result)))
    else:
        diff = (await app.repository.show(session.id, result.commit or result.kept))[1] if result.files else None
        _print_result(result, diff, terminal.out, whole=arguments.diff, once=once)
    return EXIT_CODES.get(result.outcome, 2)


async def _result(app: App, arguments: argparse.Namespace, console: Console) -> tuple[TurnResult, Session]:
    if arguments.command == "import":
        with console.status("Importing"):
            return await _imported(app, arguments)
    # Only a wish opens a thread: an undo with a slip in the name must not.
    key = thread_key(arguments.thread) if arguments.command == "ask" else (await _session(app, arguments.thread)).key
    text = arguments.command if arguments.command != "ask" else arguments.text
    if arguments.command != "ask" and arguments.turn:
        return await _reverse(app, arguments, console)
    mine: list[str] = []

    def shown(turn: str, state: Progress) -> None:
        if turn in mine:
            status.update(_line(state))

    with console.status("Starting") as status, app.board.watched(shown):
        accepted = await app.intake.accept(Event(event_id(), key, YOU, text=text))
        mine.append(accepted.turn_id)
        assert accepted.session is not None
        if not accepted.turn_id:
            notes = [one for one in await app.messages.since(accepted.session.id) if one.kind == "notice"]
            outcome = "failed" if notes[-1].doc.mark == "❗" else "done"
            return TurnResult("", outcome, as_text(notes[-1].doc)), accepted.session  # type: ignore[arg-type]
        return await _finished(app, accepted.turn_id), accepted.session


async def _reverse(app: App, arguments: argparse.Namespace, console: Console) -> tuple[TurnResult, Session]:
    """Undo or redo the turn that the command line names."""
    session = await _session(app, arguments.thread)
    replies = [
        one for one in await app.messages.since(session.id) if one.kind == "reply" and one.turn_id == arguments.turn
    ]
    if not replies:
        raise UserError(f"There is no turn {arguments.turn!r} in this thread; `log` lists them.")
    emoji = "↩️" if arguments.command == "undo" else "↪️"
    with console.status("Starting"):
        event = Event(
            event_id(),
            session.key,
            Author(event_id(), "you"),
            "reaction_added",
            message_id=replies[0].id,
            emoji=emoji,
            removable=True,
        )
        accepted = await app.intake.accept(event)
        return await _finished(app, accepted.turn_id), session


async def _finished(app: App, turn_id: str) -> TurnResult:
    while (result := await app.turns.result(turn_id)) is None:
        await asyncio.sleep(POLL_SECONDS)
    return result


def _line(state: Progress) -> str:
    return state.step + (f"  {state.files[-1]}" if state.files else "")


def as_json(session: Session, result: TurnResult) -> dict[str, Any]:
    """Return a turn's result in the form that scripts rely on."""
    return {
        "session": session.id,
        "turn": result.turn_id,
        "outcome": result.outcome,
        "commit": result.commit or None,
        "parent": result.parent or None,
        "kept": result.kept or None,
        "files": [{"path": f.path, "status": f.status, "added": f.added, "removed": f.removed} for f in result.files],
        "checks": [
            {"name": c.name, "status": c.status, "seconds": c.seconds, "findings": len(c.findings)} for c in result.checks
        ],
        "findings": [
            {"rule": f.rule, "level": f.level, "path": f.path, "line": f.line, "message": f.message, "new": f.new}
            for c in result.checks for f in c.findings
        ],
        "preview": {"url": result.preview.url or None, "state": result.preview.state},
        "usage": dataclasses.asdict(result.usage),
        "seconds": round(result.seconds, 3),
        "message": "\n".join([result.message, *result.notes]).strip(),
    }  # fmt: skip


def _print_result(result: TurnResult, diff: Diff | None, console: Console, *, whole: bool, once: bool) -> None:
    """Print what became of a turn; the diff only if it is asked for, because it can be long."""
    console.print(result.outcome, style=f"bold {COLOURS.get(result.outcome, 'red')}", end="  ", highlight=False)
    console.print(result.message, markup=False, highlight=False)
    for note in result.notes:
        console.print(note, style="yellow", markup=False, highlight=False)
    for file in diff.files if diff else ():
        console.print(
            f"  {file.status:8} {escape(file.path)}  [green]+{file.added}[/green] [red]-{file.removed}[/red]",
            highlight=False,
        )
    if diff and whole:
        _print_diff(diff, console)
    table = Table(box=None, show_header=False)
    for check in result.checks:
        table.add_row(
            MARKS[check.status],
            check.name,
            f"{check.seconds:.1f} s",
            check.note,
        )
        for finding in check.findings:
            if finding.new and finding.level == "error":
                table.add_row("", "", "", f"{finding.path}:{finding.line} {finding.message} ({finding.rule})")
    console.print(table)
    if result.preview.url:
        console.print(f"Preview: {result.preview.url}", soft_wrap=True, highlight=False)
        if once:
            console.print("It answers while the bot runs: `make run`.", style="dim")
    console.print(footer(result), style="dim", highlight=False)


def _print_diff(diff: Diff, console: Console) -> None:
    if console.is_terminal:
        console.print(Syntax(diff.text[:40_000], "diff", word_wrap=True))
    else:
        console.file.write(diff.text + "\n")


Answer = tuple[dict[str, Any], str, int]


async def _threads(app: App, arguments: argparse.Namespace) -> Answer:
    del arguments
    sessions = await app.sessions.list()
    rows = [{"session": one.id, "thread": one.key.thread, "title": one.title, "slug": one.slug} for one in sessions]
    return {"threads": rows}, "\n".join(f"{one['thread']}  {one['title']}" for one in rows) or "No threads yet.", 0


async def _edits(app: App, arguments: argparse.Namespace) -> Answer:
    del arguments
    counted = await app.turns.edits()
    rows = [
        dict(zip(("model", "form", "how"), key.split(" | "), strict=True)) | {"count": counted[key]}
        for key in sorted(counted)
    ]
    text = "\n".join(f"{one['count']:6}  {one['model']}  {one['form']}  {one['how']}" for one in rows)
    return {"edits": rows}, text or "No model has answered yet.", 0


def _commit(commit: Commit) -> dict[str, Any]:
    return {
        "commit": commit.id, "parents": list(commit.parents), "title": commit.title, "author": commit.author.name,
        "when": commit.when, "turn": commit.turn_id, "undoes": commit.undoes, "redoes": commit.redoes, "model": commit.model,
    }  # fmt: skip


async def _session(app: App, name: str) -> Session:
    """Return the thread of a name, or of the name in its preview's address."""
    try:
        return await app.sessions.at(thread_key(name))
    except UserError as error:
        if found := await app.sessions.of_slug(name):
            return found
        names = [one.key.thread for one in await app.sessions.list()]
        close = difflib.get_close_matches(name, names, n=1)
        raise UserError(f"{error} Did you mean {close[0]!r}?" if close else str(error)) from None


async def _log(app: App, arguments: argparse.Namespace) -> Answer:
    session = await _session(app, arguments.thread)
    log = await app.repository.log(session.id)
    text = "\n".join(
        f"{one.id[:10]}  {datetime.fromtimestamp(one.when).astimezone():%Y-%m-%d %H:%M}  {one.title}"
        f"  ({one.author.name}, turn {one.turn_id})"
        for one in log
    )
    return {"session": session.id, "commits": [_commit(one) for one in log]}, text or "No commits yet.", 0


async def _show(app: App, arguments: argparse.Namespace) -> Answer:
    session = await _session(app, arguments.thread)
    commit, diff = await app.repository.show(session.id, arguments.commit)
    text = f"{commit.id}\n{commit.author.name}: {commit.title}\n\n{diff.text}"
    return {"session": session.id, **_commit(commit), **_diff_json(diff)}, text, 0


def _diff_json(diff: Diff) -> dict[str, Any]:
    return {"files": [dataclasses.asdict(one) for one in diff.files], "diff": diff.text}


async def _diff(app: App, arguments: argparse.Namespace) -> Answer:
    session = await _session(app, arguments.thread)
    diff = await app.repository.diff(session.id, arguments.a, arguments.b)
    return {"session": session.id, **_diff_json(diff)}, diff.text, 0


async def _export(app: App, arguments: argparse.Namespace) -> Answer:
    session = await _session(app, arguments.thread)
    head = await app.repository.head(session.id)
    if head is None:
        raise UserError("There is no app in this thread yet.")
    target: Path = arguments.zip or arguments.dir
    try:
        if arguments.zip:
            arguments.zip.write_bytes(await app.repository.archive(session.id, head))
        else:
            await app.repository.export(session.id, arguments.dir)
    except OSError as error:
        raise UserError(
            f"{target} cannot be written: {error.strerror}. Name a place in a folder that exists."
        ) from None
    return {"session": session.id, "commit": head, "path": str(target)}, f"Exported {head[:10]} to {target}.", 0


async def _imported(app: App, arguments: argparse.Namespace) -> tuple[TurnResult, Session]:
    """Take in a folder, check and show it as a turn is, and tell the thread; where it clashes with the head nothing moves."""
    key, turn_id = thread_key(arguments.thread), event_id()
    async with app.database.write() as tx:
        session = await app.sessions.open(tx, key, arguments.thread)
        head = await app.repository.head(session.id)
        draft = Draft(session.id, head, {}, f"Import {arguments.folder.resolve().name}", turn_id, YOU)
        committed: Committed = await app.repository.import_folder(tx, draft, arguments.folder)
    if committed.clashes:
        return TurnResult(turn_id, "blocked", explain_clashes(committed.clashes, "The folder does not fit")), session
    if committed.commit == head:
        return TurnResult(turn_id, "done", "Nothing in it is new.", notes=committed.notes), session
    tree = await app.repository.tree(session.id, committed.commit)
    count = len(committed.files)
    said = f"Imported as {committed.commit[:10]}, {count} file{'s' * (count != 1)} changed."
    notes = tuple(note for note in (recognised(tree), *committed.notes) if note)
    # The files are somebody's own, and stay; what is wrong with them is told.
    checks = await checked_late(session, committed, app.ports)
    preview = await app.previews.show(session.id, session.slug, committed.commit, tree, manifest_of(tree))
    result = TurnResult(turn_id, "done", said, notes=notes, parent=committed.parent, checks=checks)
    result = finished(result, committed, preview)
    if errors := blocking(result.checks):
        text = (
            f"The checks find {len(errors)} error{'s' * (len(errors) != 1)} in it; nothing was changed because of that."
        )
        result = replace(result, outcome="unverified", notes=(*result.notes, text))
    diff = (await app.repository.show(session.id, committed.commit))[1].text
    async with app.database.write() as tx:
        doc = reply(result, diff)
        await app.messages.post(tx, session.id, f"{turn_id}{REPLY}", "reply", doc, turn_id=turn_id)
    app.board.changed(session.id)
    return result, session


LOOKS = {
    "edits": _edits, "threads": _threads, "log": _log, "show": _show, "diff": _diff, "export": _export,
}  # fmt: skip
"""The commands that are no turns."""
