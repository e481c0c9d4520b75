"""What a request says an app is to be made with: no name of anything that it keeps, and mostly what the builder has not."""

import re

from adapters.llm.builtin.words import words_of

_HERE = words_of("html html5 css javascript js python python3 fastapi sqlite")
"""What every app is made with."""
_WITH_REACT = words_of("react react.js reactjs jsx vite tailwind tailwindcss")
_ELSEWHERE = words_of("""
    vue vue.js vuejs angular svelte sveltekit next.js nextjs nuxt astro remix solid.js django flask php laravel wordpress rails
    ruby postgres postgresql mysql mariadb mongodb mongo supabase firebase dynamodb redis android ios iphone ipad electron flutter
    typescript java kotlin swift swiftui node node.js nodejs express express.js golang rust docker kubernetes k8s aws azure
    vercel netlify graphql bootstrap jquery htmx streamlit shopify elixir phoenix spring c# c++ .net asp.net
""") | {"react native", "ruby on rails", "chrome extension", "browser extension"}
_ANY = "|".join(
    re.escape(name) for name in sorted(_HERE | _WITH_REACT | _ELSEWHERE, key=lambda name: (-len(name), name))
)
_ONE = rf"(?<![\w.]){'(?:' + _ANY + ')'}(?![\w#+-])(?!\.\w)"
_SOME = rf"{_ONE}(?:\s*(?:,\s*(?:and\s+)?|\+|/|&|\band\b|\bwith\b)\s*{_ONE}){{0,5}}"
# Said of how it is made: “in React”, “built with Next.js”, “using Postgres”, “as an Android app”.
_MADE = re.compile(
    rf"(?:, ?| )?\b(?:(?:built|made|written|build it|make it|write it|created?)\s+)?(?:in|with|using|use|on top of|as an?|for|on)\s+(?P<names>{_SOME})"
    r"(?:\s+(?:apps?|application|front ?end|back ?end|server|database|db|project))?(?=\s*(?:[,.;:!?()]|$)|\s+(?:with|that|which|where|to|for|and|please)\b)",
    re.I,
)
# Said before what it is: “a React app”, “a PHP guestbook”.
_BEFORE = re.compile(
    r"^(?P<before>\W*(?:(?:please|can you|could you|build|create|make|write|develop|generate|i|we|need|want|me|us|an?|the|new|simple|small|"
    rf"little|nice|basic|set up|start|responsive|mobile(?=\s+app)|mobile-friendly)\s+){{0,7}})(?P<names>{_SOME})\s+(?=[a-z])",
    re.I,
)  # fmt: skip
_MOBILE = re.compile(
    r"\b(?:responsive|mobile|mobile-friendly)\s+(?=(?:web\s?)?(?:app|application|site|website)\b)", re.I
)
"""What every page of ours is."""
_SPLIT = re.compile(_ONE, re.I)


def without_stack(text: str, *, react: bool) -> tuple[str, list[str]]:
    """Return a request without what the app is to be made with, and what of that the builder has not; `react` where it can build that."""
    there = _HERE | (_WITH_REACT if react else frozenset())
    named = list[str]()

    def taken(match: re.Match[str]) -> str:
        named.extend(one[0] for one in _SPLIT.finditer(match["names"]))
        return match.groupdict().get("before") or ""

    text = _MOBILE.sub("", _BEFORE.sub(taken, text, count=1), count=1)
    # “servers with docker, load and place” are fields: after “with” only what ends there was said of the making.
    text = _MADE.sub(taken, text)
    return text, [one for one in dict.fromkeys(named) if one.lower() not in there]
