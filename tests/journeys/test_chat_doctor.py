"""What an operator learns before people do: `doctor`, the manifest, the invitation."""

import contextlib
import os
import re
import subprocess
import sys
from collections.abc import Iterator, Mapping
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread

import discord
import yaml
from pydantic import SecretStr
from simcord.backend.models import Overwrite
from simcord.enums import OverwriteType

from adapters.preview.disks import why_no_disks
from bot.serve import ONLY_HERE
from bot.settings import PREFIX, PROVIDER_KEYS, Settings
from tests.servers.chat import OnDiscord, OnSlack, until
from tests.servers.discord import discord_server
from tests.servers.process import ROOT, running_bot
from tests.servers.slack import Fault, slack_server


def command(folder: Path, *words: str, env: Mapping[str, str] | None = None) -> tuple[int, str]:
    """Run a command of the bot, and return its exit code and what it printed."""
    clean = {name: value for name, value in os.environ.items() if not name.startswith("THREADWRIGHT_")}
    ran = subprocess.run(
        [sys.executable, "-m", "bot", "--data-dir", str(folder), *words], cwd=ROOT, env={**clean, **(env or {})},
        capture_output=True, text=True, timeout=60, check=False,
    )  # fmt: skip
    return ran.returncode, ran.stdout + ran.stderr


def test_doctor_asks_slack_and_names_the_scopes_that_are_missing(tmp_path: Path) -> None:
    with slack_server(tmp_path / "slack", "Ann") as server:
        env = OnSlack(server).env()
        text = command(tmp_path, "doctor", env=env)[1]
        assert "Slack: threadwright at Dev answers" in text
        held = not why_no_disks(tmp_path)
        assert (
            f"Storage limit: 512 MB an app, {'held by the kernel' if held else 'counted once a minute, because'}"
            in text
        )
        server.granted = "chat:write,commands"
        code, text = command(tmp_path, "doctor", env=env)
        assert code == 1
        assert "the app lacks app_mentions:read, channels:history" in text
        server.granted, server.clock = "", -600
        assert re.search(r"the clock of this machine is 6\d\d s ahead", command(tmp_path, "doctor", env=env)[1])
        server.clock = 0
        server.faults.append(Fault("apps.connections.open", error="invalid_auth"))
        assert "Set THREADWRIGHT_SLACK_APP_TOKEN" in command(tmp_path, "doctor", env=env)[1]
        server.faults.append(Fault("auth.test", error="invalid_auth"))
        assert "Slack refuses the token" in command(tmp_path, "doctor", env=env)[1]


def test_doctor_asks_discord_and_names_what_it_lacks(tmp_path: Path) -> None:
    with discord_server() as server:
        world = server.world("Ann")
        env = OnDiscord(server, world).env()
        assert "Discord: threadwright answers" in command(tmp_path, "doctor", env=env)[1]
        server.approved = discord.Intents.default()

        def take() -> None:
            for role in server.backend.guilds[world.guild].roles.values():
                left = discord.Permissions(role.permissions)
                left.update(attach_files=False)
                server.backend.edit_role(world.guild, role.id, {"permissions": left.value})

        server.do(take)
        code, text = command(tmp_path, "doctor", env=env)
        assert code == 1
        assert "Message Content Intent" in text
        assert "in Test server it lacks Attach Files" in text
        give = {"permissions": discord.Permissions.all().value ^ discord.Permissions.administrator.flag}
        server.approved = discord.Intents.all()

        def poor() -> None:
            for role in server.backend.guilds[world.guild].roles.values():
                server.backend.edit_role(world.guild, role.id, give)
            everyone = Overwrite(world.guild, OverwriteType.ROLE, 0, discord.Permissions.add_reactions.flag)
            server.backend.create_channel(world.guild, "quiet", overwrites=[everyone])
            unseen = Overwrite(world.guild, OverwriteType.ROLE, 0, discord.Permissions.view_channel.flag)
            server.backend.create_channel(world.guild, "unseen", overwrites=[unseen])

        server.do(poor)
        code, text = command(tmp_path, "doctor", env=env)
        assert code == 1
        assert "threadwright; in Test server #quiet it lacks Add Reactions\n" in text
        wrong = {**env, "THREADWRIGHT_DISCORD_TOKEN": "wrong"}
        assert "Discord refuses the token" in command(tmp_path, "doctor", env=wrong)[1]


def test_the_manifest_is_whole_for_both_ways_to_connect(tmp_path: Path) -> None:
    manifest = yaml.safe_load(command(tmp_path, "slack-manifest")[1])
    assert manifest["settings"]["socket_mode_enabled"] is True
    assert "chat:write" in manifest["oauth_config"]["scopes"]["bot"]
    url = "https://bot.example/slack/events"
    manifest = yaml.safe_load(command(tmp_path, "slack-manifest", "--events-url", url)[1])
    assert manifest["settings"]["socket_mode_enabled"] is False
    assert manifest["settings"]["event_subscriptions"]["request_url"] == url
    assert manifest["settings"]["interactivity"]["request_url"] == url
    assert manifest["features"]["slash_commands"][0]["url"] == url


def test_the_invitation_asks_for_exactly_what_is_needed(tmp_path: Path) -> None:
    env = {"THREADWRIGHT_DISCORD_TOKEN": "MTIzNDU2Nzg5MDEyMzQ1Njc4.x.y"}
    code, text = command(tmp_path, "discord-invite", env=env)
    assert code == 0
    assert "client_id=123456789012345678&scope=bot+applications.commands" in text
    asked = discord.Permissions(int(text.rpartition("permissions=")[2].split("&")[0]))
    assert {name for name, wanted in asked if wanted} == {
        "read_messages", "send_messages", "create_public_threads", "send_messages_in_threads", "read_message_history",
        "add_reactions", "attach_files", "embed_links", "manage_threads",
    }  # fmt: skip
    code, text = command(tmp_path, "discord-invite", env={"THREADWRIGHT_DISCORD_TOKEN": "!"})
    assert code == 1
    assert "THREADWRIGHT_DISCORD_TOKEN" in text


def test_doctor_makes_nothing_and_leaves_nothing(tmp_path: Path) -> None:
    typo = tmp_path / "tpyo" / "data"
    code, text = command(typo, "doctor")
    assert (code, list(tmp_path.iterdir())) == (0, []), text
    assert f"SQLite in {typo}, a folder that the bot makes when it starts" in text
    kept = tmp_path / "kept"
    kept.mkdir()
    assert command(kept, "doctor")[0] == 0
    assert list(kept.iterdir()) == []


def test_a_terminal_of_few_letters_gets_every_answer(tmp_path: Path) -> None:
    few = {"LC_ALL": "C", "PYTHONUTF8": "0", "PYTHONCOERCECLOCALE": "0", "PYTHONIOENCODING": "ascii"}
    code, text = command(tmp_path, "doctor", env=few)
    assert code == 0, text
    assert "? Database: SQLite" in text


def test_compose_passes_on_whatever_connects_a_model_or_a_chat() -> None:
    passed = yaml.safe_load((ROOT / "compose.yaml").read_text())["services"]["bot"]["environment"]
    secret = {
        f"{PREFIX}{name.upper()}" for name, field in Settings.model_fields.items() if field.annotation is SecretStr
    }
    needed = {*PROVIDER_KEYS.values(), *secret} - {f"{PREFIX}DATABASE_URL"}  # compose brings its own database
    assert needed <= passed.keys()
    # What is not set stays empty: compose must not ask for it.
    assert {passed[name] for name in needed} == {f"${{{name}:-}}" for name in needed}


@contextlib.contextmanager
def ollama() -> Iterator[str]:
    """Run a server that answers as Ollama does, and yield where."""

    class Answers(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            body = b'{"object": "list", "data": [{"id": "qwen3-coder:30b", "object": "model", "owned_by": "library"}]}'
            self.send_response(200)
            self.send_header("Content-Type", "application/json")
            self.end_headers()
            self.wfile.write(body)

    server = ThreadingHTTPServer(("127.0.0.1", 0), Answers)
    Thread(target=server.serve_forever, daemon=True).start()
    try:
        yield f"127.0.0.1:{server.server_port}"
    finally:
        server.shutdown()


def test_a_model_on_this_machine_is_offered_at_the_start_and_by_doctor(tmp_path: Path) -> None:
    with ollama() as at:
        assert "use qwen3-coder:30b from Ollama" in command(tmp_path, "doctor", env={"OLLAMA_HOST": at})[1]
        quiet = {"THREADWRIGHT_SANDBOX": "none", "THREADWRIGHT_BROWSER": "none", "OLLAMA_HOST": at}
        with running_bot(tmp_path / "data", **quiet) as bot:
            until(lambda: "qwen3-coder:30b from Ollama" in bot.log())


def test_where_a_chat_is_connected_the_start_says_that_previews_open_here_only(tmp_path: Path) -> None:
    with slack_server(tmp_path / "slack", "Ann") as server:
        quiet = {"THREADWRIGHT_SANDBOX": "none", "THREADWRIGHT_BROWSER": "none"}
        with running_bot(tmp_path / "data", **quiet, **OnSlack(server).env()) as bot:
            until(lambda: ONLY_HERE in bot.log())
        with running_bot(tmp_path / "local", **quiet) as bot:
            until(lambda: "ready" in bot.log().lower())
            assert ONLY_HERE not in bot.log()
