"""Ask for an answer of a strict type: one try, one repair turn with the validation errors, then refuse."""

import json
from dataclasses import replace
from typing import TypeVar

from pydantic import BaseModel, ValidationError

from core.llm.chat import ChatRequest, LanguageModel, asked_again

Answer = TypeVar("Answer", bound=BaseModel)
MAX_ANSWER_CHARS = 1_000_000
MOST_STARTS = 50
"""How many braces are tried for the beginning of the object."""


class InvalidAnswer(ValueError):
    """The model's answer did not fit its type, twice; the text says what was wrong the second time."""


async def ask_for(model: LanguageModel, request: ChatRequest, kind: type[Answer]) -> Answer:
    """
    Return the model's answer as `kind`.

    Raises:
        InvalidAnswer: neither the answer nor its repair fits.
    """
    request = replace(request, schema=kind.model_json_schema())
    completion = await model.complete(request)
    try:
        return _read(completion.text, completion.complete, kind)
    except InvalidAnswer as error:
        problem = str(error)
    repair = f"That answer cannot be used: {problem}\nAnswer again with one JSON object that fits the schema, and nothing else."
    completion = await model.complete(asked_again(request, completion.text, repair, cut_off=not completion.complete))
    return _read(completion.text, completion.complete, kind)


def _read(text: str, complete: bool, kind: type[Answer]) -> Answer:
    if not text.strip():
        raise InvalidAnswer("the answer was empty")
    if not complete:
        raise InvalidAnswer("the answer was cut off at the token limit")
    if len(text) > MAX_ANSWER_CHARS:
        raise InvalidAnswer(f"the answer had {len(text):,} characters; the limit is {MAX_ANSWER_CHARS:,}")
    problem = "there was no JSON object in the answer"
    starts = [at for at, char in enumerate(text) if char == "{"][:MOST_STARTS]
    for at in starts:
        try:
            return kind.model_validate(json.JSONDecoder().raw_decode(text, at)[0])
        except ValidationError as error:
            found = "; ".join(
                f"{'.'.join(map(str, one['loc'])) or 'answer'}: {one['msg']}" for one in error.errors()[:10]
            )
        except (ValueError, RecursionError) as error:
            found = f"it is not valid JSON: {error}"
        # Prose may quote a brace before the object; what is wrong with the first one is what the model should hear.
        problem = found if at == starts[0] else problem
    raise InvalidAnswer(problem)
