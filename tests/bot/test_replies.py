"""What a result looks like as a message."""

import pytest
from pydantic import ValidationError

from bot.replies import as_text, footer, introduced, reply
from bot.web import chat
from core.llm.chat import Usage
from core.messages import Action, Footer, Para, PreviewState, TurnResult
from core.sessions import Session, ThreadKey
from core.thread.commands import COMMANDS

SPENT = TurnResult("t", "done", "Built.", usage=Usage(1_000, 200, 0.25), model="m", seconds=2, context=0.0834)


def test_the_footer_says_what_the_turn_and_the_thread_have_cost_and_how_full_the_context_was() -> None:
    assert footer(SPENT, 0.75) == "m · 1,200 tokens · $0.25 · thread $0.75 · context 8 % · 2.0 s"


def test_a_question_lists_its_options_and_each_has_a_button() -> None:
    doc = reply(TurnResult("t", "asked", "For whom?", options=("For us", "For all")), "")
    assert doc.mark == "❓"
    assert doc.blocks == (Para("For whom?"), Para("1️⃣ For us\n2️⃣ For all"), Footer("0.0 s"))
    assert doc.actions == (Action("answer_1"), Action("answer_2"))


def test_every_button_of_the_local_chat_is_taken() -> None:
    for emoji in ("👍", "👎", *(command.emoji for command in COMMANDS.values() if command.emoji)):
        assert chat.Reacted(id="reaction-1", message_id=1, emoji=emoji, added=True).emoji == emoji
    with pytest.raises(ValidationError, match="not a reaction of this chat"):
        chat.Reacted(id="reaction-1", message_id=1, emoji="🎉", added=True)


@pytest.mark.parametrize(
    ("platform", "url", "said"),
    [
        ("slack", "http://shop.preview.localhost:8001/?tw_preview=1", True),
        ("discord", "http://127.0.0.1:8001/", True),
        ("discord", "http://[::1]:8001/", True),
        ("local", "http://shop.preview.localhost:8001/", False),
        ("slack", "https://shop.apps.example.com/?tw_preview=1", False),
        ("slack", "", False),
    ],
)
def test_people_who_cannot_open_the_preview_are_told_once(platform: str, url: str, said: bool) -> None:
    session = Session("s", ThreadKey(platform, "w", "c", "t"), "Shop", "shop")
    state = PreviewState("ready" if url else "off", url)
    first = introduced(reply(TurnResult("t", "done", "Built.", preview=state), ""), session, "Shop", "Ann", "m")
    assert ("opens only on the machine that I run on" in as_text(first)) is said
