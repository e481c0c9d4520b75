"""What a run of the tests says of what it could not try."""

from tests.needs import summary_of


def test_each_need_is_named_once_the_most_tests_first() -> None:
    reasons = ["Skipped: needs a browser: apt-get install chromium", *["Skipped: needs Docker: make image"] * 12]
    assert summary_of(reasons) == [
        "   12 tests  needs Docker: make image", "    1 test   needs a browser: apt-get install chromium",
    ]  # fmt: skip
    assert summary_of([]) == []
