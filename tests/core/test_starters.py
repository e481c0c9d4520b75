"""What a form says, as the wish that it becomes."""

import pytest

from core.starters import STARTERS, build_form, wish_of


@pytest.mark.parametrize(
    ("filled_in", "wish"),
    [
        ({}, ""),
        ({"looks": "green", "starter": "none"}, ""),
        ({"title": " Bike  rental "}, "Build an app called Bike rental"),
        ({"lists": "- bikes: model\n\n • rentals: bike, who\n"}, "Build an app:\n- bikes: model\n- rentals: bike, who"),
        ({"title": "Shop", "lists": "teas: name", "looks": "dark", "starter": "crm"}, "Build an app called Shop:\n- teas: name\nMake it dark"),
        ({"starter": "crm", "title": "Ours"}, STARTERS[0].wish),
        ({"starter": "landing", "looks": "red"}, f"{STARTERS[-1].wish}\nMake it red"),
    ],
)  # fmt: skip
def test_a_form_becomes_a_wish(filled_in: dict[str, str], wish: str) -> None:
    assert wish_of(filled_in) == wish


def test_nothing_of_a_long_form_is_cut_off() -> None:
    """Whoever takes the message says that it is too long."""
    assert wish_of({"lists": "a: b\n" * 5_000}).count("a: b") == 5_000


def test_the_form_fits_both_platforms() -> None:
    """https://api.slack.com/reference/block-kit/block-elements, https://discord.com/developers/docs/components/reference"""
    form = build_form()
    (starters,) = form.choices
    assert len(starters.values) <= 25
    assert all(0 < len(label) <= 75 for label in starters.values.values())
    assert starters.chosen in starters.values
    assert all(len(one.label) <= 45 and len(one.hint) <= 100 for one in form.entries)
    assert len(form.choices) + len(form.entries) <= 5
