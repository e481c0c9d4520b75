"""
The shapes that people give to a list: headings and bullets, dashes, brackets, a sentence of its own, the form of an issue.

Each becomes “things: a, b, c” or “things with a, b and c”, which is what `lists` reads. Nothing is added to what was said, and
what is taken away is only how it was said.
"""

import re

from adapters.llm.builtin.known import BOARD
from adapters.llm.builtin.words import known_field, names_something, plural, singular, split_list, spread, words_of

FEWEST = 3
"""From how many items on a row of words is taken for fields, where only its shape says so."""
BULLET = re.compile(r"^\s*(?:[-*•]|\d+[.)])\s+")
_HEADING = re.compile(r"^(?:#{1,6}\s*|\*\*)(?P<said>[^*\n]+?)(?:\*\*)?:?$")
_OF_A_FORM = re.compile(
    r"(?:feature )?request|description|summary|details|idea|problem|goal|background|context|what(?: i want| we need)?|user story|"
    r"acceptance criteria|feature|wish|ask|need|describe the (?:solution|feature)(?: you'd like| you want)?|proposed solution|proposal",
    re.I,
)
"""Headings of issues, under which the wish stands."""
_ALONE = ("summary", "request", "wish", "idea", "ask", "proposal")
_OF_FIELDS = re.compile(
    r"(?:the |its |data )?(?:fields?|columns|attributes|properties)(?: (?:are|needed|i need|we need))?", re.I
)
_NAMED = re.compile(r"^(?:title|app name|name of the app|subject):\s*(?P<name>[A-Za-z][^\n:;.,]{1,60})\n", re.I)
_CALLED = re.compile(
    r"[.?!\n]\s*(?:name|title|it is called|it's called):?\s+[\"'“]?(?P<name>[A-Z0-9][\w&' -]{1,40}?)[\"'”]?(?P<end>[.\n]|$)"
)
_DASHED = re.compile(r"(?P<before>[.:;]\s+)(?P<noun>[A-Za-z]+(?: [a-z]+)?) [-–] (?=[^,;\n]{1,60},)")
"""Several lists in one line: “Shop: suppliers - name, phone; products - name, price”."""
_OUTER = re.compile(r"^(?P<head>[^:.,;\n()]{2,60}):\s+(?=[a-z][a-z -]{1,40}: [^:\n]+,)", re.I)
"""A heading over several lists: “Vet practice: animals: name, species …”."""
_USER_STORY = re.compile(r"^as an? [^,\n]{1,60}?,? i (?:want|need|would like)\b[^\n]{0,200}\n", re.I | re.M)
_SENTENCE_OF_FIELDS = re.compile(
    r"(?:[.;,:?!]|\n)\s*(?:with )?(?:the |its )?(?:fields?|columns|attributes)(?:(?: are| is)?\s*[:=]| are| [-–])\s*"
    r"|[.?!]\s*(?:(?:they|people|clients|customers|guests|visitors|members|users|patients|parents) (?:should|must|can|need to|have to) (?:tell (?:me|us)|enter|give(?: me| us)?|fill in|leave|provide|say|state) (?:an? |the |their )?(?=[a-z']+[^.\n]*,)"
    r"|(?:i|we) need (?:to know )?(?:the |their |its )|(?:for )?each (?:one|of them)?:\s+|(?:for )?each (?:one|of them)?,? ?(?:should have|has|needs|(?:i|we) (?:need|want|store|note)) (?:an? |the )?|"
    r"(?:it|they) (?:should|must|need to) (?:have|include|contain) (?:an? |the )?)(?=[a-z]+[^.\n]*,)",
    re.I,
)
_OF_LANES = re.compile(r"(?:^|[.;,:?!\n]) ?(?:with )?(?:the )?columns(?: are)?\s*[:=]", re.I)
"""The columns of a board are its lanes."""
_EACH = re.compile(r",\s+(?:each|every one|all of them)\s+(?:one\s+)?(?:with|has|having)\s+(?=[a-z])", re.I)
_NUMBERED = re.compile(r"(?:^|(?<=\s))\(?(?P<number>[1-9]|[a-e])[.)] (?=[A-Za-z])")
_ARROW = re.compile(r"(?P<list>(?:^|(?<=[\n\-:;] ))[A-Za-z]+s) ?(?:->|=>|→) ?(?=[^\n>→:;]+,)", re.M)
_AFTER_A_CONTAINER = re.compile(
    r"(?P<head>\b(?:list|log|tracker|register|inventory|directory|database|table|collection|overview|planner))\s+"
    r"\((?P<fields>[^()]+)\)(?=\s*(?:[.!?\n]|$))", re.I
)  # fmt: skip


def plainer(text: str) -> str:
    """Return a text with signs and words that stand for others written out: “w/”, “author + text”, “1) books -> title”."""
    text = re.sub(r"\bw/ ?|(?<=[a-z] )w (?=[a-z]{3})", "with ", text)
    text = re.sub(r"(?<=[a-z]) \+ (?=[a-z])", ", ", text, flags=re.I)
    text = re.sub(r"(?<=s) (?:should|must|shall|need to|needs to) have (?=[a-z])", " have ", text)
    text = _THINGS.sub(lambda match: "tasks" if match[1].casefold() == "do" else "items", text)
    numbers = [match["number"] for match in _NUMBERED.finditer(text)]
    if len(numbers) > 1 and "".join(numbers) in ("123456789"[: len(numbers)], "abcde"[: len(numbers)]):
        text = _NUMBERED.sub("\n- ", text).strip()
    return _BELONG.sub(r"\g<list> have \g<owner>, ", _ARROW.sub(r"\g<list>: ", text))


_THINGS = re.compile(r"\bthings (?:that need )?to (do|buy|pack|bring|get|sell)(?=\s+with\b|\s*[:(])", re.I)
_BELONG = re.compile(
    r"\b(?P<list>[a-z]+s|each [a-z]+|every [a-z]+) belongs? to (?:an?|the|one|exactly one) (?P<owner>[a-z]+),? and (?:also )?ha(?:ve|s) ",
    re.I,
)


def in_shape(text: str) -> str:
    """Return a wish with its lists written in one way."""
    text = re.sub(r"\bdate (?:and|&|\+|/) time(?=\s*(?:[,.;\n)]|$|and\b))", "date/time", text, flags=re.I)
    text = _with_choices(text)
    text = _SQUARE.sub(r"(\g<inside>)", text)
    text = _of_each(text)
    text = _PER.sub(r"\g<noun> with \g<whose>, ", text)
    text = WHETHER.sub(r"\g<what> (yes/no)", text)
    text = _LEFT_BY.sub(r"\g<before>", text)
    text = _STROKES.sub(lambda match: f"{match['name']} ({match['list'].replace('/', ', ')})", text)
    text = _ENTERED.sub(r"\g<who> with ", _BELONGS.sub(r", \g<whose>", text))
    text = _OURS.sub(r"\g<noun>", _IN_A_ROW.sub(_rowed, spread(text)))
    text = _NAMED.sub(lambda match: f"An app called {match['name'][:1].upper()}{match['name'][1:]}.\n", text, count=1)
    text = _CALLED.sub(lambda match: f" called {match['name']}{match['end']}", _USER_STORY.sub("", text))
    text = re.sub(r"\b4 (?=our\b|my\b|the\b)", "for ", re.sub(r"\bapprox\.", "approx", text), flags=re.I)
    text = re.sub(
        r"^\*\*([\w ]{2,30}?):?\*\*:?[ \t]+(?=\S)",
        lambda match: "" if _OF_A_FORM.fullmatch(match[1]) else f"{match[1]}: ",
        text,
        flags=re.M,
    )
    text = _DASHED.sub(r"\g<before>\g<noun> with ", text)
    text = _OUTER.sub(lambda match: f"{match['head']}. ", text)
    text = "\n".join(_blocks(_by_line(text.split("\n"))))
    if not (BOARD.search(text) and _OF_LANES.search(text)):
        text = _SENTENCE_OF_FIELDS.sub(" with ", text)
    text = _IN_BRACKETS.sub(
        lambda match: f"{match['head']}: {match['rest']}" if is_row(match["rest"]) else match[0], text
    )
    text = _AFTER_A_CONTAINER.sub(_of_container, text)
    text = re.sub(r",\s+with\s+(?=[a-z])", " with ", _EACH.sub(" with ", text), flags=re.I)
    return "\n".join(_row(line) for line in text.split("\n"))


WHETHER = re.compile(
    r"(?:(?<=, )|(?<=and )|(?<=with )|(?<=add )|(?<=\n))(?:whether|if) (?:it|they|he|she)(?:(?:'s|'re| is| are| was| were| has| have)(?: been)?(?: already)?| have an?| has an?) (?P<what>(?!(?:on|in|at|over|under|from|by|too|more|less)\b)[a-z]{3,20}(?: [a-z]{3,20})?)(?: already| yet)?(?=[,.;\n]|$| and\b)",
    re.I,
)
"""“Whether it has been paid” is yes or no."""
_LEFT_BY = re.compile(
    r"(?P<before>, (?:and )?|\band )(?:leave|enter|give|provide|fill in|state) (?:their|your|his|her) (?=[a-z])", re.I
)
"""What people do with a field: “pick a date and leave their name”."""
_ENTERED = re.compile(
    r"\b(?P<who>[a-z]{3,}s) (?:enter|give|leave|fill in|provide|state) (?:their |an? |the )(?=[a-z][^.\n]*,)", re.I
)
"""What people type in is kept of them: “visitors enter their name, company and time”."""
_BELONGS = re.compile(
    r"(?:,? and|,) (?:each )?belongs? to (?:an?|one|exactly one) (?P<whose>[a-z]+)(?=[.,;\n]|$)", re.I
)
_STROKES = re.compile(
    r"(?<=[ ,])(?P<name>priority|severity|status|level|size|urgency|condition|stage|type|kind|(?!(?:an?|the|with|and|or|of|in|is|by|for|columns?|lanes|stages|fields?)\b)[a-z]{3,20}(?= [a-z]+/[a-z]+/)) (?P<list>[a-z]+(?: [a-z]+)?(?:/[a-z]+(?: [a-z]+)?){1,9})(?=[,.;\n]|$| and\b)",
    re.I,
)
"""Words to choose from without brackets: “priority low/medium/high”."""
_IN_BRACKETS = re.compile(r"^(?P<head>[^():,\n]{3,60}) \((?P<rest>[^()\n]{10,400})\)[.!]?$", re.M)
"""A line of nothing but a name and its fields in brackets."""


def _of_each(text: str) -> str:
    """Write “for every van we note the …” as a list of vans, unless there are more of that kind than are understood."""
    if len(_FOR_EACH.findall(text)) < len(re.findall(r"\bfor (?:each|every)\b", text, re.I)):
        return text
    return _FOR_EACH.sub(lambda match: f"{plural(singular((match['noun'] or match['other']).casefold()))} with ", text)


_SQUARE = re.compile(r"(?<!columns )(?<!lanes )(?<!stages )\[(?P<inside>[^\[\]()\n]+,[^\[\]()\n]+)\]")
_FOR_EACH = re.compile(
    r"(?<![a-z] )\b(?:for (?:every|each) (?P<noun>(?!(?:one|of|item|entry|record|person)\b)[a-z]{2,}(?: [a-z]{2,})?)(?::|,? (?:we|i|you|they) (?:note|record|keep|store|track|need|write|want|log|save)(?: down)?) |"
    r"(?:every|each) (?P<other>[a-z]{2,}(?: [a-z]{2,})?) (?:gets|needs|carries):? )(?:the |its |their |an? )?(?=[a-z][^.\n]*,)",
    re.I,
)
"""“For every van we note the plate, …” is a list of vans."""
_PER = re.compile(
    r"\b(?P<noun>[a-z]{3,}s) (?:per|for (?:each|every)) (?P<whose>[a-z]{3,})(?: with |: ?)(?=[a-z])", re.I
)
"""What there is several of for each of something: “inspections per hive with date”."""
_OURS = re.compile(
    r"\b(?P<noun>[a-z]{3,}s) (?:that |which )?(?:we|i)(?:'ve|'re| have| are| had| must| should| need to| want to| have to)?(?: not| never)? [a-z]+(?=:| with\b)",
    re.I,
)
"""What people do with their things names none of them: “fonts we've licensed with …”."""
_IN_A_ROW = re.compile(
    r"^(?P<head>[^,:;()\n]{0,60}?\b(?:(?:list|log|register|record) of (?:our |my |the )?(?:[a-z]+ )?[a-z]+s(?: (?:in|at|for) (?:our |my |the )[a-z]+)?|(?:[a-z]+ ){1,3}(?:records|log|list|register|tracker|form|sheet)(?: (?:for|in|at) (?:our |my |the |an? )?[a-z']+(?: [a-z']+)?)?|track (?:our |my |the )?[a-z]+s)), "
    r"(?P<rest>(?!(?:each|every|all|one|with|and)\b)[^:\n]+)$", re.I | re.M
)  # fmt: skip
"""A row of fields behind a comma: “a list of detentions, pupil, reason, date”."""


def _rowed(match: re.Match[str]) -> str:
    return f"{match['head']}: {match['rest']}" if is_row(match["rest"]) else match[0]


def _by_line(lines: list[str]) -> list[str]:
    """Return lines that are a field each, some with choices behind a colon, as bullets below the line above them."""
    head, *rest = [line for line in lines if line.strip()] or [""]
    fields = [_A_FIELD.fullmatch(line.strip()) for line in rest]
    plain = sum(one is not None and not one["choices"] for one in fields)
    if not 1 < plain < len(rest) or None in fields or "," in head or " with " in f" {head} ":
        return lines
    return [
        head,
        *(f"- {one['name']} ({one['choices']})" if one["choices"] else f"- {one[0]}" for one in fields if one),
    ]


_A_FIELD = re.compile(
    r"(?P<name>[A-Za-z][\w'? -]{0,40})(?:: (?P<choices>[^,:;()\n]{1,40}(?:, ?[^,:;()\n]{1,40}){1,8}))?"
)


def _blocks(lines: list[str]) -> list[str]:
    """Join each heading with the bullets below it; headings of issues go."""
    found = list[str]()
    for line in lines:
        heading = _HEADING.match(line.strip())
        said = heading["said"].strip() if heading else ""
        if said and _OF_A_FORM.fullmatch(said):
            continue
        line = said or line
        head = line.partition(":")[0].strip()
        if _OF_A_FORM.fullmatch(head) and head != line and (len(head.split()) > 1 or head.casefold() in _ALONE):
            line = line.partition(":")[2].strip()
        found.append(line)
    at, joined = 0, list[str]()
    while at < len(found):
        items = list[str]()
        heads = not BULLET.match(found[at])
        while heads and at + 1 + len(items) < len(found) and BULLET.match(found[at + 1 + len(items)]):
            items.append(BULLET.sub("", found[at + 1 + len(items)]).strip())
        if len(items) >= 2 and (fields := _fields_of(items)):
            head = found[at].rstrip(" :")
            if _OF_FIELDS.fullmatch(head):
                head = joined.pop().rstrip(" :.") if joined else "entries"
            joined.append(f"{re.sub(r' with$', '', head)} with {', '.join(fields)}")
            at += len(items)
        else:
            joined.append(found[at])
        at += 1
    return joined


def _fields_of(items: list[str]) -> list[str]:
    """Return bullets as fields, words to choose from in brackets; nothing where most are lists of their own."""
    fields = list[str]()
    for item in items:
        name, colon, rest = item.partition(":")
        if re.search(r"\b(?:with|have|has)\b|\w [-–] \w", item):
            return []
        if colon:
            choices = [one.strip() for one in re.split(r",|/|\bor\b", rest) if one.strip()]
            if len(choices) < 2 or any(map(known_field, choices)):
                return []
            fields.append(f"{name.strip()} ({', '.join(choices)})")
        else:
            fields.append(item.rstrip(" .;,"))
    return fields if sum(":" in item for item in items) * 2 <= len(items) else []


def _of_container(match: re.Match[str]) -> str:
    return f"{match['head']} with {match['fields']}" if is_row(match["fields"]) else match[0]


def _row(line: str) -> str:
    """Write one line: a dash or a full stop before a row of fields is a colon, and semicolons between them are commas."""
    line = _CHOICES_OF_FIELD.sub(_chosen, line)
    head, mark, rest = _parted(line)
    return f"{head}{mark}{rest}"


def _parted(line: str) -> tuple[str, str, str]:
    bare = BULLET.sub("", line)
    if (
        (match := re.match(r"(?P<head>[^,:;()\n]{2,80}?) (?:[-–—]|-{1,2}>|=>|→) (?P<rest>[^\n]+)$", bare))
        and is_row(match["rest"].split(". ")[0])
        and not re.search(r"\bwith\b", match["head"])
    ):
        return match["head"], ": ", match["rest"]
    if (match := re.match(r"(?P<head>[^:;()\n]{3,160}?)[.?!;] (?P<rest>[^.?!;:\n]+[.?!]?)$", bare)) and (
        "," not in match["head"] or not is_row(match["head"])
    ):
        said = match["rest"].rstrip(" .?!")
        if is_row(said) and not re.search(r"\b(?:with|have|has|is|are|can|should|must|we|i)\b", said, re.I):
            return match["head"], ": ", match["rest"]
    if match := re.match(r"(?P<head>[^:;()\n]{2,80}?)(?::| with)\s+(?P<rest>[^:\n]+)$", bare):
        outside = re.sub(r"\([^()]*\)", "", match["rest"])
        if outside.count(";") >= 2 and "," not in outside:
            return match["head"], ": ", re.sub(r"\s*;\s*(?![^(]*\))", ", ", match["rest"])
    return line, "", ""


_CHOICES_OF_FIELD = re.compile(
    r"(?<=, )(?P<name>(?!(?:columns|lanes|stages|fields)\b)[a-z][a-z -]{1,30})(?::| ?=) (?P<list>[^:()\n;.]+?)(?=[.;\n]|$|, [^,:()/]+\()",
    re.I,
)


def _chosen(match: re.Match[str]) -> str:
    """Write “…, environment: dev, staging, prod” with brackets; “condition: mint / good / bad, paid” ends at its comma."""
    said, rest = re.sub(r"\s*(?:->|→|>)\s*", "/", match["list"]), ""
    if "/" in said.split(",")[0]:
        said, comma, rest = said.partition(",")
        rest = comma + rest
    choices = [one.strip() for one in re.split(r",|/|\bor\b|\band\b", said) if one.strip()]
    clear = "/" in said or "=" in match[0] or match["name"].casefold() in _TOLD_BY_NAME
    if len(choices) < 2 or any((known_field(one) and not clear) or len(one.split()) > 2 + clear for one in choices):
        return match[0]
    return f"{match['name']} ({', '.join(choices)}){rest}"


_TOLD_BY_NAME = words_of(
    "status stage state result outcome quality level grade available availability condition severity"
)
"""What mostly has words to choose from."""
_CAN_BE = re.compile(
    r"(?<=[.;\n] )(?P<name>[a-z]{3,20}) (?:can be|may be|is one of|is either) (?P<list>[^.;:()\n]{5,120})(?:\.|$)", re.I
)


def _with_choices(text: str) -> str:
    """Write “…, and state. State can be open or closed.” with the words in brackets behind the field."""
    match = _CAN_BE.search(text)
    if match is None:
        return text
    field = re.compile(rf"(?<=[ ,]){re.escape(match['name'])}(?=[,.;\n])", re.I)
    choices = [one.strip() for one in re.split(r",|\bor\b", match["list"]) if one.strip()]
    before = text[: match.start()]
    if len(choices) < 2 or not field.search(before):
        return text
    return field.sub(f"{match['name'].lower()} ({', '.join(choices)})", before, count=1) + text[match.end() :]


def is_row(text: str) -> bool:
    """Say whether a text is a row of fields: several, short, one of them often is one, and no sentence."""
    items = split_list(text.strip(" ."))
    known = sum(known_field(re.sub(r"\(.*", "", one).strip(" ?")) for one in items)
    named = sum(names_something(re.sub(r"\(.*", "", one).strip(" ?"), told="(" in one) for one in items)
    return len(items) >= FEWEST and known >= 1 and named * 2 >= len(items)
