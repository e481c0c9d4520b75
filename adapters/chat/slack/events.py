"""What Slack reports, as events. Pure, and never raises on a payload of any form."""

import html
import json
import re
from collections.abc import Mapping
from typing import Any, Literal

from adapters.chat.slack.emoji import meaning
from adapters.chat.slack.render import PREFIX
from core.chat import ON_MESSAGE, OPENING, Event
from core.messages import Attachment
from core.sessions import Author, ThreadKey
from core.starters import wish_of
from core.thread.commands import MENU

PLATFORM = "slack"
SUBTYPES = (None, "file_share", "thread_broadcast")
MOST_SHARED, MOST_FORWARDED, MOST_NAMED = 10, 4_000, 20
_LINK = re.compile(r"<((?:https?|mailto):[^|<>]+)(?:\|([^<>]*))?>")
_NAMED = re.compile(r"<(?:#\w{1,40}\|([^<>]+)|!(?:subteam|date)\^[^|<>]*\|([^<>]+)|!(here|channel|everyone))>")
_SCHEME = re.compile(r"(?:https?://|mailto:)")
_MENTION = re.compile(r"<@([A-Z0-9]{1,40})(?:\|([^<>]*))?>")
Aliases = Mapping[str, str]


def event_of(body: Any, me: str, aliases: Aliases, home: str = "") -> Event | None:
    """
    Return what a payload means, None for what is not for us; an author's name is their id until it is looked up.

    `home` is the workspace that the app is installed in. In a channel that two organisations share, a payload has that of
    whoever wrote, and the thread is still ours.
    """
    if not isinstance(body, dict):
        return None
    try:
        return _event_of(body, me, aliases, home or _installed_in(body))
    except (KeyError, TypeError, ValueError, AttributeError, IndexError):
        # A payload that does not have the documented form is nobody's message.
        return None


def _installed_in(body: dict[str, Any]) -> str:
    """Return the workspace that a payload was sent to the app of."""
    first: dict[str, Any] = next(iter(body.get("authorizations") or ()), {})
    return str(first.get("team_id") or body.get("team_id") or body["team"]["id"])


def _event_of(body: dict[str, Any], me: str, aliases: Aliases, team: str) -> Event | None:
    if "command" in body:
        return _command(body, team)
    if body.get("type") == "block_actions":
        return _button(body, team)
    if body.get("type") == "view_submission":
        return _form(body, team)
    if body.get("type") == "message_action":
        return _shortcut(body, team)
    event = body.get("event")
    if not isinstance(event, dict):
        return None
    kind = event.get("type")
    if kind in ("reaction_added", "reaction_removed"):
        return _reaction(body, event, team, me, aliases)
    if kind == "agent_session_stopped":
        key = ThreadKey(PLATFORM, team, str(event["channel"]), str(event["thread_ts"]))
        return Event(f"slack:{body['event_id']}", key, _author(event["user"]), "command", text="stop")
    if kind in ("channel_deleted", "group_deleted"):
        key = ThreadKey(PLATFORM, team, str(event["channel"]), "")
        return Event(f"slack:{body['event_id']}", key, Author("", "somebody"), "closed")
    if kind not in ("message", "app_mention") or event.get("bot_id"):
        return None
    if event.get("subtype") == "message_changed":
        return _edited(event, team, me)
    if event.get("subtype") == "message_deleted":
        return _deleted(event, team)
    if event.get("subtype") not in SUBTYPES or event.get("user") == me:
        return None
    return message_event(event, team, str(event["channel"]), me)


def message_event(
    event: Mapping[str, Any], team: str, channel: str, me: str, kind: Literal["message", "edited"] = "message"
) -> Event:
    """Return a person's message as an event."""
    ts = str(event["ts"])
    text = str(event.get("text") or "")
    direct = event.get("channel_type") == "im" or channel.startswith("D")
    mentioned = f"<@{me}" in text or direct
    edited = str((event.get("edited") or {}).get("ts", "")) if kind == "edited" else ""
    first = _MENTION.match(text.lstrip())
    others = first is not None and first[1] != me and not direct
    return Event(
        # The same for `message` and `app_mention`, which report one message with two different event ids.
        f"slack:{team}:{channel}:{ts}" + (f":{edited}" if edited else ""),
        ThreadKey(PLATFORM, team, channel, str(event.get("thread_ts") or ts)),
        _author(event["user"]),
        kind,
        text="\n\n".join(part for part in (spoken(text, me), *_forwarded(event)) if part),
        link=f"https://slack.com/app_redirect?team={team}&channel={channel}&message_ts={ts}",
        remote_id=f"{channel}/{ts}",
        files=tuple(_file(one) for one in event.get("files") or () if isinstance(one, dict) and "id" in one),
        people=_people(text, me),
        begins=mentioned and not others,
        mentioned=mentioned,
        for_others=others,
        at=float(ts),
    )


def _forwarded(event: Mapping[str, Any]) -> list[str]:
    """Return the messages that were shared with a message; links that Slack unfolds are none."""
    shared = [one for one in event.get("attachments") or () if isinstance(one, dict) and one.get("is_share")]
    return [
        f"Forwarded from {one.get('author_name') or 'somebody'} ({one.get('from_url') or 'no link'}):\n"
        + spoken(str(one.get("text") or one.get("fallback") or ""), "")[:MOST_FORWARDED]
        for one in shared[:MOST_SHARED]
    ]


def spoken(text: str, me: str) -> str:
    """Return a message's text as it was typed, without the mention of the bot."""
    text = re.sub(rf"<@{re.escape(me)}(?:\|[^<>]*)?>", "", text) if me else text
    text = _NAMED.sub(lambda match: f"#{match[1]}" if match[1] else match[2] or f"@{match[3]}", text)
    text = _LINK.sub(_link, text)
    return html.unescape(text).strip()


def _link(match: re.Match[str]) -> str:
    """Return a link as it was typed: Slack makes links of names like main.py too."""
    address, label = match[1], match[2]
    if label in (None, address) or _SCHEME.sub("", address, count=1).rstrip("/") == _SCHEME.sub(
        "", label, count=1
    ).rstrip("/"):
        return label or address
    return f"{label} ({address})"


def _edited(event: Mapping[str, Any], team: str, me: str) -> Event | None:
    """An edit by a person; a link that was unfurled changes no text."""
    now, before = event["message"], event.get("previous_message") or {}
    if now.get("bot_id") or now.get("user") in (None, me) or "edited" not in now:
        return None
    if now.get("text") == before.get("text"):
        return None
    return message_event(now, team, str(event["channel"]), me, "edited")


def _deleted(event: Mapping[str, Any], team: str) -> Event:
    channel, ts = str(event["channel"]), str(event["deleted_ts"])
    author = _author((event.get("previous_message") or {}).get("user") or "")
    key = ThreadKey(PLATFORM, team, channel, "")
    return Event(f"slack:{team}:{channel}:{ts}:deleted", key, author, "deleted", remote_id=f"{channel}/{ts}")


def _reaction(body: Mapping[str, Any], event: Mapping[str, Any], team: str, me: str, aliases: Aliases) -> Event | None:
    if event["user"] == me or event["item"].get("type") != "message":
        return None
    kind: Literal["reaction_added", "reaction_removed"] = (
        "reaction_added" if event["type"] == "reaction_added" else "reaction_removed"
    )
    channel = str(event["item"]["channel"])
    return Event(
        f"slack:{body['event_id']}", ThreadKey(PLATFORM, team, channel, ""), _author(event["user"]), kind,
        remote_id=f"{channel}/{event['item']['ts']}", emoji=meaning(str(event["reaction"]), aliases),
        at=float(event["event_ts"]),
    )  # fmt: skip


def _command(body: Mapping[str, Any], team: str) -> Event:
    channel, trigger = str(body["channel_id"]), str(body["trigger_id"])
    key = ThreadKey(PLATFORM, team, channel, f"{OPENING}{trigger}")
    # The name that comes with it is the one that the person logs in with.
    author = _author(body["user_id"])
    text = str(body.get("text") or "")
    return Event(
        f"slack:{trigger}", key, author, "command", text="build", target=spoken(text, ""), people=_people(text, ""), begins=True, mentioned=True,
    )  # fmt: skip


def _button(body: Mapping[str, Any], team: str) -> Event | None:
    action = body["actions"][0]
    verb = str(action["action_id"]).removeprefix(PREFIX)
    container = body.get("container") or {}
    if not str(action["action_id"]).startswith(PREFIX) or verb == "open" or container.get("type") != "message":
        return None
    message = body.get("message") or {}
    thread = str(message.get("thread_ts") or container.get("thread_ts") or container["message_ts"])
    key = ThreadKey(PLATFORM, team, str(container["channel_id"]), thread)
    value = str(action.get("value") or "")
    target = "" if value == "-" else value
    return Event(f"slack:{body['trigger_id']}", key, _author(body["user"]["id"]), "command", text=verb, target=target)


def _shortcut(body: Mapping[str, Any], team: str) -> Event | None:
    """Something in a message's menu, which is there in threads too."""
    verb, message, channel = str(body["callback_id"]).removeprefix(PREFIX), body["message"], str(body["channel"]["id"])
    if verb not in MENU.values():
        return None
    key = ThreadKey(PLATFORM, team, channel, str(message.get("thread_ts") or message["ts"]))
    target = f"{ON_MESSAGE}{channel}/{message['ts']}"
    return Event(f"slack:{body['trigger_id']}", key, _author(body["user"]["id"]), "command", text=verb, target=target)


def _form(body: Mapping[str, Any], team: str) -> Event | None:
    view = body["view"]
    verb = str(view["callback_id"]).removeprefix(PREFIX)
    where = json.loads(view.get("private_metadata") or "{}")
    if verb == "seen" or "thread" not in where:
        return None
    filled_in = {
        str(name): str((state.get("selected_option") or state)["value"])
        for actions in view["state"]["values"].values()
        for name, state in actions.items()
        if state.get("selected_option") or state.get("value")
    }
    number, author = f"slack:{view['id']}:{view.get('hash', '')}", _author(body["user"]["id"])
    key = ThreadKey(PLATFORM, team, str(where["channel"]), str(where["thread"]) or f"{OPENING}{view['id']}")
    if verb == "build":
        return Event(number, key, author, "command", text=verb, target=wish_of(filled_in), begins=True, mentioned=True)
    pairs = [f"{name}={value}" for name, value in filled_in.items()]
    if where.get("target"):
        pairs.append(f"target={where['target']}")
    return Event(number, key, author, "command", text=verb, target="&".join(pairs))


def _people(text: str, me: str) -> tuple[Author, ...]:
    """Return whom a text mentions, by the name that stands there, else by their id."""
    found: dict[str, str] = {}
    for match in _MENTION.finditer(text):
        found[match[1]] = match[2] or found.get(match[1], match[1])
    found.pop(me, None)
    return tuple(Author(number, name) for number, name in found.items())[:MOST_NAMED]


def _author(user: Any) -> Author:
    return Author(str(user), str(user))


def _file(one: Mapping[str, Any]) -> Attachment:
    name = str(one.get("name") or one.get("title") or "file")
    kind = str(one.get("mimetype") or "application/octet-stream")
    return Attachment(name, kind, int(one.get("size") or 0), f"{PLATFORM}:{one['id']}")
