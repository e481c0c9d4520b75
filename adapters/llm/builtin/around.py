"""What people say around a wish: greetings, thanks, who they are and why they want it. None of it names anything that is built."""

import re
import unicodedata

from adapters.llm.builtin.words import spelled

_GREETING = re.compile(
    r"^\W*(?:(?:hi|hiya|hello|hey|heya|yo|howdy|dear|morning|good (?:morning|evening|afternoon))(?: sir| madam| ma'am)?\b(?: (?:folks|all|team|everyone|everybody|there|guys|bot|you))?(?: ?@\w+)?"
    r"(?:(?: \w+){0,2}[,.!:\n]\s*|\s+(?=(?:can|could|please|build|make|create|we|i|would|u)\b)|$)|@\w+[,:]?\s+)", re.I
)  # fmt: skip
_PREFACE = re.compile(
    r"^\W*(?:(?:(?:a )?(?:quick|small|short) (?:request|question|one|wish)|urgent|important|as (?:discussed|agreed|promised|said)\b[^,.:\n]{0,40}|new idea|idea|request|task)"
    r"[:,.]\s+|[\w' ]{2,30} here(?: from [\w' ]{2,30})?[.,!:]\s+|(?:not|(?:i|we) (?:don't|do not) (?:want|need)) an? [\w' -]{2,30}, (?:just|only|but|(?:i|we) (?:want|need)(?= an? ))\s+|(?:so|ok|okay|well|now|also|and|basically|actually|um+|uh+|er|hmm+),?\s+)", re.I
)  # fmt: skip
_ASKING = re.compile(
    r"^\W*(?:(?:i|we)(?:'d| would)(?: really)? (?:like|love|want|need)(?: to have)?|(?:i|we)(?:'re| are|'m| am) looking for|looking for|(?:i|we) (?:need|want) (?:to )?(?=sign[- ]?up|sign-?in|a )|need (?:smth|sth|something) for|help (?:us|me)(?: to)?|"
    r"need (?=an?\b|some\b|the\b)|(?:can|could|would|will) (?:someone|somebody|anyone|anybody|you|u)(?: please)?|(?:can|could|may) (?:i|we) (?:get|have)|"
    r"(?:i|we) collect(?= [\w' ]{3,40}[.:]\s)|(?:would like|wanting)(?= an? )|make (?:smth|sth|something) for|(?:i|we) need (?:somewhere|a place|a way) to (?:write down|note down|jot down|keep|record|collect|store)|whip up|put together|it (?:should|must) be possible (?:for [\w' ]{2,30} )?to|need (?:smth|sth|something) to|is it possible to|would it be possible to|how about|what about|(?:it would be|it'd be|would be) (?:nice|great|cool|lovely) (?:to have|if there (?:was|were|is))|kindly)\s+", re.I
)  # fmt: skip
_THANKS = re.compile(
    r"[\s,.!-]*\b(?:please|pls|plz|(?:many )?thanks(?: a lot| so much| in advance| a bunch| a ton| a million)?|thank you(?: so much| very much)?|thx|ty|cheers|asap|"
    r"(?:best|kind) regards)\b(?:[,!.]?\s+(?-i:[A-Z])[a-z]+(?: from [\w ]{1,30})?)?[\s.!?]*(?=$|\n)", re.I
)  # fmt: skip
_CONTEXT = re.compile(
    r"^(?:(?:we|i)(?:'re|'m| are| am| run| have| own| collect| breed| sell| rent| repair| coach| teach| keep| always| often| lose| lost| forget| work)|our|my|at (?:our|my|the)|nobody|everyone|"
    r"right now|currently|today|so far|every \w+)\b(?P<said>[^.!?:;\n]{3,160})(?:[.!?]\s+|\n)(?=\S)", re.I
)  # fmt: skip
"""A sentence before the wish that tells why: how things are, and nothing that is asked for."""
_LEST = re.compile(
    r",? so (?:that )?(?:we|i|nobody|no one) (?:don't|do not|doesn't|never|no longer|stop|stops) (?:forget|forgetting|lose|losing|miss|missing)s?\b[^.\n]{0,40}(?=\.?\s*$)",
    re.I,
)
_ASKED = re.compile(
    r"\b(?:need|needs|want|wants|like|please|can you|could|should|must|only|never|without|not|no|build|make|create|(?<!losing )(?<!lose )(?<!lost )track|except|but)\b",
    re.I,
)
_WHOSE_WISH = re.compile(
    r"^(?:as an? [\w' -]{2,40}?,? (?=(?:i|we)\b)|for (?:our|my|the|a) (?:[\w'-]+ ){1,4}?,?\s*(?=(?:i|we) (?:need|want|would|'d)|please|can |could )"
    r"|(?:we(?:'re| are| run| have| own)|i(?:'m| am| run| coach| teach| own| have))\b[^,.:;\n]{1,60}?(?:,? (?:and|so)(?: we| i)?|,) (?=(?:please|can|could|need|want|build|make|create)\b)"
    r"|(?:my|our|the) [\w' -]{2,40}? (?:has|have|is|are|runs?) [^,.:;\n]{1,60}, (?=(?:can|could|please|would|will)\b)"
    r"|(?:my|our|the) [\w'-]+(?: [\w'-]+)? (?:wants?|needs?|would like|is looking for|asked for) (?=an?\b|some\b))", re.I
)  # fmt: skip
"""Who wishes it, in one breath with the wish."""


_SLIPS = re.compile(r"(?<![\w@#/.'-])[a-z]{3,14}(?![\w@/'-])(?!\.\w)")
"""Words that may have a slip; names, addresses and what has a capital may not."""
_IS_QUESTION = re.compile(r"\b(?:can|could|would|will|may|is it possible|how about|what about)\b[^?]*\?\s*$", re.I)
"""A message that ends as a question: its mark belongs to no field."""
_LISTS = re.compile(r":|\bwith\b|\bhave\b|\bhas\b|\n\s*[-*•]")


def to_the_point(text: str) -> str:
    """Return a message without its greeting, its thanks and its pictures: none of them names anything."""
    text = "".join(
        char for char in text if unicodedata.category(char) not in ("So", "Sk", "Cs") and char not in "\u200d\ufe0f"
    )
    text = re.sub(r" ?\b(?:lol|haha|lmao)\b", "", text, flags=re.I)
    text = re.sub(r"\b(Dr|Mr|Mrs|Ms|Prof|St)\. (?=[A-Z])", r"\1 ", text.replace("\u2019", "'"))
    if text.count("?") == 1 and _IS_QUESTION.search(text):
        text = text.rstrip().removesuffix("?")
    text = _SLIPS.sub(lambda match: spelled(match[0]), text)
    for pattern in (_GREETING, _PREFACE, _PREFACE, _PREFACE):
        text = pattern.sub("", text, count=1)
    while (match := _CONTEXT.match(text)) and not _ASKED.search(match["said"]) and _LISTS.search(text[match.end() :]):
        text = text[match.end() :]
    for pattern in (_GREETING, _PREFACE, _WHOSE_WISH, _ASKING, _PREFACE):
        text = pattern.sub("", text, count=1)
    text = _LEST.sub("", text)
    while (shorter := _THANKS.sub("", text)) != text:
        text = shorter
    return re.sub(r"\b(?:please|pls|plz)\b ?", "", text, flags=re.I).replace(" :", ":").strip()
