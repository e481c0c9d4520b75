"""What the platforms' adapters may raise, and whether it makes sense to try again."""

from core.chat import Missing, NotAllowed, RateLimited, Revoked


def test_a_rate_limit_says_how_long_to_wait_and_may_be_tried_again() -> None:
    error = RateLimited(1.25)
    assert (error.seconds, error.retryable, str(error)) == (1.25, True, "rate limited for 1.2 s")


def test_what_is_gone_or_forbidden_is_not_tried_again() -> None:
    assert [kind("no").retryable for kind in (Missing, NotAllowed, Revoked)] == [False, False, False]
