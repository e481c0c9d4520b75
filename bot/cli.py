"""What the terminal can do: turns, undo, history, export and import, on the same inbox as every platform."""

import argparse
import asyncio
import dataclasses
import difflib
import json
import sys
from datetime import datetime
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.syntax import Syntax
from rich.table import Table

from adapters.sandbox.docker import build_image
from adapters.store.migrate import upgrade
from bot.replies import as_text, footer
from bot.settings import Settings
from bot.web.chat import event_id, thread_key
from bot.wiring import App, opened
from core.chat import Event
from core.errors import UserError
from core.findings import MARKS
from core.history import Commit, Committed, Diff, Draft
from core.messages import Progress, TurnResult
from core.sessions import Author, Session
from core.undoing import explain_clashes

YOU = Author("terminal", "you")
POLL_SECONDS = 0.1
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
    turns = arguments.command in ("ask", "undo", "redo")
    async with opened(settings, previews=turns, any_port=True) as app:
        if turns:
            return await _turn(app, arguments)
        return await _look(app, arguments)


async def _turn(app: App, arguments: argparse.Namespace) -> int:
    """Do one turn and show it."""
    console = Console(stderr=True) if arguments.json else Console()
    result, session = await _result(app, arguments, console)
    if arguments.json:
        print(json.dumps(as_json(session, result)))
    else:
        await _print_result(app, session, result, console)
    return EXIT_CODES.get(result.outcome, 2)


async def _result(app: App, arguments: argparse.Namespace, console: Console) -> tuple[TurnResult, Session]:
    # Only a wish opens a thread: an undo with a slip in the name must not.
    key = thread_key(arguments.thread) if arguments.command == "ask" else (await _session(app, arguments.thread)).key
    text = arguments.command if arguments.command != "ask" else arguments.text
    text = sys.stdin.read() if text == "-" else text
    if arguments.command != "ask" and arguments.turn:
        return await _reverse(app, arguments, console)
    with console.status("Starting") as status:
        app.board.watchers.append(lambda _, state: status.update(_line(state)))
        accepted = await app.inbox.accept(Event(event_id(), key, YOU, text=text))
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
            event_id(), session.key, Author(event_id(), "you"), "reaction_added", message_id=replies[0].id, emoji=emoji
        )
        accepted = await app.inbox.accept(event)
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


async def _print_result(app: App, session: Session, result: TurnResult, console: Console) -> None:
    console.print(f"[bold]{result.outcome}[/bold]  {result.message}", highlight=False)
    for note in result.notes:
        console.print(note, style="yellow", highlight=False)
    if commit := result.commit or result.kept:
        _print_diff((await app.repository.show(session.id, commit))[1], console)
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
        console.print("It answers while the bot runs: `make run`.", style="dim")
    console.print(footer(result), style="dim", highlight=False)


def _print_diff(diff: Diff, console: Console) -> None:
    for file in diff.files:
        console.print(
            f"  {file.status:8} {file.path}  [green]+{file.added}[/green] [red]-{file.removed}[/red]", highlight=False
        )
    if console.is_terminal:
        console.print(Syntax(diff.text[:40_000], "diff", word_wrap=True))
    else:
        print(diff.text, file=console.file)


async def _look(app: App, arguments: argparse.Namespace) -> int:
    """Carry out the commands that are no turns."""
    answers = {
        "edits": _edits, "threads": _threads, "log": _log, "show": _show, "diff": _diff, "export": _export, "import": _import,
    }  # fmt: skip
    found, text, code = await answers[arguments.command](app, arguments)
    print(json.dumps(found) if arguments.json else text)
    return code


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


async def _import(app: App, arguments: argparse.Namespace) -> Answer:
    """Take in a folder; where it clashes with the head nothing moves."""
    key = thread_key(arguments.thread)
    async with app.database.write() as tx:
        session = await app.sessions.open(tx, key, arguments.thread)
        head = await app.repository.head(session.id)
        draft = Draft(session.id, head, {}, f"Import {arguments.folder.resolve().name}", event_id(), YOU)
        committed: Committed = await app.repository.import_folder(tx, draft, arguments.folder)
    if committed.clashes:
        text = explain_clashes(committed.clashes, "The folder does not fit")
        return {"session": session.id, "outcome": "blocked", "commit": None, "message": text}, text, 2
    found = {
        "session": session.id, "outcome": "done", "commit": committed.commit, "parent": committed.parent or None,
        "notes": list(committed.notes),
    }  # fmt: skip
    said = (
        f"Imported as {committed.commit[:10]}, {len(committed.files)} file{'s' * (len(committed.files) != 1)} changed."
    )
    return found, "\n".join([said, *committed.notes]), 0
