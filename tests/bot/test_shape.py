"""The picture of the house in docs/shape.md is the one of the code, and no two rooms use each other."""

from tests.shape import DOCS, ROOT, drawn, figures, rooms


def test_the_picture_is_current() -> None:
    now = DOCS.read_text(encoding="utf-8")
    assert now == drawn(now, rooms(ROOT)), "make shape draws the new one"


def test_no_two_rooms_use_each_other() -> None:
    graph = rooms(ROOT)
    assert [(name, other) for name, used in graph.items() for other in used if name in graph[other]] == []


def test_functions_are_short() -> None:
    found = figures(ROOT)
    assert found["median lines"] <= 8
    assert found["p90 lines"] <= 25
