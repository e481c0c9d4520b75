"""The command line: python -m bot serve | ask | undo | redo | log | show | diff | export | import | threads | doctor | …"""

import argparse
import asyncio
import io
import sys
from pathlib import Path

from bot import cli, doctor
from bot.logs import configure_logs
from bot.serve import serve
from bot.settings import Settings, read_settings
from core.errors import BotError


def main(argv: list[str] | None = None) -> int:
    """Run one command and return its exit code."""
    arguments = _parser().parse_args(argv)
    for stream in (sys.stdout, sys.stderr):
        # A terminal of few letters gets a mark for each that it does not know, and no error.
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="replace")
    try:
        settings = read_settings(arguments.data_dir)
        configure_logs("ERROR" if arguments.command not in ("serve",) else settings.log_level)
        return asyncio.run(_run(arguments, settings))
    except BotError as error:
        print(f"threadwright: {error}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        return 130


async def _run(arguments: argparse.Namespace, settings: Settings) -> int:
    if arguments.command == "serve":
        await serve(settings)
        return 0
    if arguments.command == "doctor":
        return await doctor.run(settings)
    return await cli.run(arguments, settings)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m bot", description="Threadwright builds software in the thread where people talk about it."
    )
    parser.add_argument("--data-dir", type=Path, help="the folder that holds all state (THREADWRIGHT_DATA_DIR)")
    common = argparse.ArgumentParser(add_help=False)
    common.add_argument("--data-dir", type=Path, default=argparse.SUPPRESS, help="the folder that holds all state")
    commands = parser.add_subparsers(dest="command", required=True, metavar="COMMAND")

    def add(name: str, text: str) -> argparse.ArgumentParser:
        return commands.add_parser(name, help=text, description=text, parents=[common])

    def in_thread(name: str, text: str) -> argparse.ArgumentParser:
        command = add(name, text)
        command.add_argument(
            "--thread", required=True, help="the thread's name; with `ask` and `import`, a new name is a new app"
        )
        command.add_argument("--json", action="store_true", help="print one JSON object")
        return command

    add("serve", "run the bot and its local chat")
    add("doctor", "list what is configured, what is missing, and what to do about it")
    manifest = add("slack-manifest", "print the manifest that makes the Slack app")
    manifest.add_argument(
        "--events-url", default="", help="https://…/slack/events, for events over HTTP instead of Socket Mode"
    )
    add("discord-invite", "print the link that adds the bot to a Discord server")
    add("migrate", "bring the database to this version")
    image = add("build-image", "build the Docker image that generated apps run in")
    image.add_argument("--base-image", default="", help="the image to build on, python:3.12-slim unless given")
    threads = add("threads", "list the threads")
    threads.add_argument("--json", action="store_true", help="print one JSON object")
    edits = add("edits", "count how the answers of each model were applied or refused")
    edits.add_argument("--json", action="store_true", help="print one JSON object")
    for name in ("ask", "undo", "redo"):
        turn = in_thread(name, "do one turn" if name == "ask" else f"{name} a turn")
        turn.add_argument("--diff", action="store_true", help="print the whole diff too")
        if name == "ask":
            turn.add_argument("text", help="what you would say in the thread; - reads it from standard input")
        else:
            turn.add_argument("turn", nargs="?", default="", help="the turn's id; the latest unless given")
    in_thread("log", "list the commits")
    in_thread("show", "show one commit").add_argument("commit")
    diff = in_thread("diff", "compare two commits")
    diff.add_argument("a")
    diff.add_argument("b")
    export = in_thread("export", "write the app out")
    target = export.add_mutually_exclusive_group(required=True)
    target.add_argument("--zip", type=Path, metavar="FILE", help="a ZIP of the files")
    target.add_argument("--dir", type=Path, metavar="DIR", help="a clone with the history")
    taken = in_thread("import", "take in a folder, or a clone with new commits")
    taken.add_argument("folder", type=Path)
    taken.add_argument("--diff", action="store_true", help="print the whole diff too")
    return parser


if __name__ == "__main__":
    sys.exit(main())
