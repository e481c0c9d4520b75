"""Documents as Slack and Discord show them: whatever is in a document, no limit of the platform is broken."""

import json
from typing import Any

import discord
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from adapters.chat.discord.render import render as on_discord
from adapters.chat.discord.render import thread_name
from adapters.chat.discord.wire import modal_of, sent_as
from adapters.chat.slack.render import diff_view, form_view, home_view
from adapters.chat.slack.render import render as on_slack
from adapters.chat.text import split
from core.chat import Form, Outgoing, Part, Picture
from core.findings import CheckResult, Finding
from core.llm.chat import Usage
from core.messages import (
    Action,
    ChecksTable,
    DiffText,
    Doc,
    FileChange,
    Files,
    Footer,
    Para,
    PreviewCard,
    PreviewState,
    Progress,
    ProgressCard,
    Quote,
)  # fmt: skip
from core.sessions import Session, ThreadKey
from core.thread.settings import settings_form

ODD = st.sampled_from(
    ["```", "```py\nx = 1", "<!channel>", "@everyone", "<@U1>", "&", "𝔘", "\n\n", "a" * 700, "x `y` "]
)
TEXT = st.one_of(
    st.text(max_size=300), st.lists(ODD, max_size=60).map("".join), st.integers(0, 60_000).map("w ".__mul__)
)
NAMES = st.text(min_size=1, max_size=300)
FILES = st.lists(st.builds(FileChange, NAMES, st.sampled_from(["added", "changed", "removed", "renamed"]), st.integers(0, 10**6),
                           st.integers(0, 10**6), st.one_of(st.just(""), NAMES)), max_size=60).map(tuple)  # fmt: skip
FINDINGS = st.lists(st.builds(Finding, NAMES, st.sampled_from(["error", "warning"]), NAMES, st.integers(0, 9_999), TEXT,
                              NAMES, NAMES, st.booleans()), max_size=20).map(tuple)  # fmt: skip
CHECKS = st.lists(st.builds(CheckResult, NAMES, st.sampled_from(["passed", "failed", "not_run"]), st.floats(0, 99), FINDINGS, TEXT),
                  max_size=20).map(tuple)  # fmt: skip
PREVIEWS = st.builds(PreviewState, st.just("ready"), st.one_of(st.just(""), st.integers(0, 4_000).map(lambda n: "https://x.example/" + "y" * n)),
                     http_status=st.sampled_from([0, 200, 500]), runtime=NAMES, title=TEXT)  # fmt: skip
BLOCKS = st.one_of(
    st.builds(Para, TEXT), st.builds(Files, FILES, st.just("c" * 40)), st.builds(DiffText, TEXT), st.builds(ChecksTable, CHECKS),
    st.builds(PreviewCard, PREVIEWS), st.builds(Footer, TEXT),
)  # fmt: skip
ACTIONS = st.lists(
    st.builds(Action, st.sampled_from(["undo", "redo", "allow", "drop", "diff"]), st.text(max_size=300)), max_size=40
).map(tuple)
DOCS = st.builds(Doc, st.lists(BLOCKS, min_size=1, max_size=8).map(tuple), st.sampled_from(["", "✅", "⚠️"]), ACTIONS)
CARDS = st.builds(
    lambda step, done, files, over: Doc(
        (ProgressCard(Progress(step, tuple(done), tuple(files), Usage(10, 2, 0.1)), 3.0, over),), actions=(Action("stop"),)
    ),
    TEXT, st.lists(NAMES, max_size=60), st.lists(NAMES, max_size=60), st.booleans(),
)  # fmt: skip
ANY = st.one_of(DOCS, CARDS)
MANY = tuple(Picture(f"{number}.png", b"x", "alt") for number in range(20))


def check_discord(part: Part) -> None:
    body = part.body
    assert len(body["content"].encode("utf-16-le")) // 2 <= 2_000 or len(body["content"]) <= 2_000
    assert body["content"] or body["embeds"]
    assert len(part.files) <= 10
    rows = body["components"]
    assert len(rows) <= 5
    buttons = [one for row in rows for one in row["components"]]
    assert all(1 <= len(row["components"]) <= 5 for row in rows)
    assert all(1 <= len(one["label"]) <= 80 for one in buttons)
    assert all(1 <= len(one.get("custom_id", "x")) <= 100 and len(one.get("url", "")) <= 512 for one in buttons)
    total = 0
    for embed in body["embeds"]:
        assert len(embed.get("fields", ())) <= 25
        for field in embed.get("fields", ()):
            assert 1 <= len(field["name"]) <= 256
            assert 1 <= len(field["value"]) <= 1_024
            total += len(field["name"]) + len(field["value"])
        total += len(embed.get("footer", {}).get("text", ""))
        assert len(embed.get("footer", {}).get("text", "")) <= 2_048
    assert total <= 6_000
    assert "@everyone" not in body["content"]


def check_slack(part: Part) -> None:
    body = part.body
    if "blocks" not in body:
        assert part.files
        return
    assert len(body["text"]) <= 4_000
    assert 1 <= len(body["blocks"]) <= 50
    for block in body["blocks"]:
        check_block(block)
    shown = sum(len(text_of(block)) for block in body["blocks"])
    assert shown <= 13_200
    assert "<!channel" not in json.dumps(body, ensure_ascii=False)


def text_of(block: dict[str, Any]) -> str:
    if block["type"] == "markdown":
        return str(block["text"])
    return json.dumps(block.get("text") or block.get("elements"), ensure_ascii=False)


def check_block(block: dict[str, Any]) -> None:
    if block["type"] == "markdown":
        assert 1 <= len(block["text"]) <= 12_000
    elif block["type"] == "section":
        assert 1 <= len(block["text"]["text"]) <= 3_000
    elif block["type"] == "context":
        assert all(1 <= len(one["text"]) <= 2_000 for one in block["elements"])
    elif block["type"] == "actions":
        assert 1 <= len(block["elements"]) <= 25
        for one in block["elements"]:
            assert 1 <= len(one["text"]["text"]) <= 75
            assert len(one.get("url", "")) <= 3_000
            assert 1 <= len(one.get("value", "x")) <= 2_000


@settings(max_examples=150, deadline=None)
@given(ANY)
def test_no_document_breaks_a_limit_of_discord(doc: Doc) -> None:
    for part in on_discord(Outgoing(doc, "turn-1", MANY)):
        check_discord(part)
        assert part.name
        sent = sent_as(part)
        assert isinstance(sent["allowed_mentions"], discord.AllowedMentions)


@settings(max_examples=150, deadline=None)
@given(ANY)
def test_no_document_breaks_a_limit_of_slack(doc: Doc) -> None:
    for part in on_slack(Outgoing(doc, "turn-1", MANY, "U1")):
        check_slack(part)


@settings(max_examples=100, deadline=None)
@given(DOCS)
def test_no_diff_breaks_a_limit_of_a_modal(doc: Doc) -> None:
    view = diff_view(doc)
    if view is not None:
        assert len(view["blocks"]) <= 100
        for block in view["blocks"]:
            check_block(block)
        assert len(json.dumps(view)) <= 250_000


@settings(max_examples=200, deadline=None)
@given(TEXT, st.integers(200, 4_000))
def test_text_is_split_within_the_limit_and_fences_are_whole(text: str, limit: int) -> None:
    pieces = split(text, limit)
    assert all(0 < len(piece) <= limit for piece in pieces)
    for piece in pieces[:-1]:
        assert sum(line.startswith("```") for line in piece.splitlines()) % 2 == 0
    if "```" not in text:
        assert "".join(pieces).replace("\n", "") == text.replace("\n", "")


@pytest.mark.parametrize("render", [on_discord, on_slack])
def test_text_that_is_too_long_becomes_a_file_and_says_so(render: Any) -> None:
    text = "word " * 12_000
    parts = render(Outgoing(Doc((Para(text),), "✅")))
    assert text.encode() in [one.content for part in parts for one in part.files]
    assert "The rest is in the file." in json.dumps([part.body for part in parts])


@pytest.mark.parametrize("length", [2_001, 3_001, 13_200, 40_000])
@pytest.mark.parametrize("render", [on_discord, on_slack])
def test_long_text_is_split_or_becomes_a_file_and_nothing_is_lost(render: Any, length: int) -> None:
    text = "".join(f"{number:07} " for number in range(length // 8 + 1))[:length]
    parts = render(Outgoing(Doc((Para(text),))))
    shown = "".join(json.dumps(part.body) for part in parts) + "".join(
        one.content.decode() for part in parts for one in part.files
    )
    assert all(word in shown for word in text.split())


@pytest.mark.parametrize("render", [on_discord, on_slack])
def test_an_empty_document_is_no_message(render: Any) -> None:
    assert render(Outgoing(Doc(()))) == ()


def test_files_that_are_too_big_for_discord_are_left_out() -> None:
    parts = on_discord(
        Outgoing(Doc((Para("x"),)), files=(Picture("big", b"x" * (10 * 2**20 + 1)), Picture("small", b"x")))
    )
    assert [one.name for one in parts[0].files] == ["small"]


def test_a_thread_has_a_name_of_its_own() -> None:
    assert thread_name("") == "New app"
    assert len(thread_name("x" * 300)) == 100


def test_forms_and_home_keep_slacks_limits() -> None:
    session = Session("s", ThreadKey("slack", "T", "C", "1.1"), "Shop", "shop-1")
    view = form_view(settings_form(session), "{}")
    assert len(view["title"]["text"]) <= 24
    for block in view["blocks"]:
        assert all(len(one["text"]["text"]) <= 75 for one in block["element"]["options"])
    home = home_view([(f"Thread <{number}>", "https://x.example", "https://y.example") for number in range(200)])
    assert len(home["blocks"]) <= 100


HOSTILE = (
    "✅ **Ann let this through** [receipt](https://evil.example)\n```\n# Approved\n````` @everyone <!channel>\n> quoted"
)


@pytest.mark.parametrize("render", [on_discord, on_slack])
@pytest.mark.parametrize("again", [1, 300])
def test_nothing_that_a_person_says_passes_for_the_bots_own_words(render: Any, again: int) -> None:
    parts = render(Outgoing(Doc((Para("Ben would like me to do this:"), Quote(HOSTILE * again)), "🔑")))
    texts = [
        part.body["content"] if "content" in part.body else part.body["blocks"][0]["text"]
        for part in parts
        if part.body.get("content") or part.body.get("blocks")
    ]
    for text in texts:
        outside, inside = [], False
        for line in text.splitlines():
            if line.startswith("```"):
                inside = not inside
            elif not inside:
                outside.append(line)
        assert not inside or len(parts) > 1
        assert "evil" not in "".join(outside)
        assert "Approved" not in "".join(outside)


def test_a_form_shows_what_a_guest_asks_for_as_it_is() -> None:
    form = Form("decide", "A guest's message", [], about="Ben would like me to do this:", quoted=HOSTILE)
    view = form_view(form, "{}")
    assert [block["text"]["type"] for block in view["blocks"]] == ["plain_text", "plain_text"]
    shown: Any = modal_of(form).to_components()[0]
    assert shown["content"].startswith("Ben would like me to do this:\n```\n✅")
    assert shown["content"].count("```") == 2
