"""Slack's app manifest: what an operator pastes at api.slack.com/apps to make the app."""

import yaml

from adapters.chat.slack.port import EVENTS
from adapters.chat.slack.render import PREFIX
from adapters.chat.slack.wire import SCOPES
from core.thread.commands import COMMANDS, MENU

DESCRIPTION = "Builds software in the thread where people talk about it."


def app_manifest(events_url: str = "") -> str:
    """Return the manifest as YAML: for Socket Mode, or for events over HTTP at `events_url`."""
    web = {"request_url": events_url} if events_url else {}
    command = {"command": "/build", "description": COMMANDS["build"].slash, "usage_hint": COMMANDS["build"].asks,
               "should_escape": True, **({"url": events_url} if events_url else {})}  # fmt: skip
    manifest = {
        "display_information": {"name": "Threadwright", "description": DESCRIPTION, "background_color": "#2f6f4f"},
        "features": {
            "app_home": {"home_tab_enabled": True, "messages_tab_enabled": True, "messages_tab_read_only_enabled": False},
            "bot_user": {"display_name": "Threadwright", "always_online": True},
            "slash_commands": [command],
            "shortcuts": [
                {"name": name, "type": "message", "callback_id": f"{PREFIX}{verb}", "description": f"{name}, on an answer of mine"}
                for name, verb in MENU.items()
            ],
        },
        "oauth_config": {"scopes": {"bot": list(SCOPES)}},
        "settings": {
            "event_subscriptions": {**web, "bot_events": list(EVENTS)},
            "interactivity": {"is_enabled": True, **web},
            "org_deploy_enabled": False, "socket_mode_enabled": not events_url, "token_rotation_enabled": False,
        },
    }  # fmt: skip
    return str(yaml.safe_dump(manifest, sort_keys=False, width=100))
