"""
The built-in builder: a LanguageModel without a key, a network or dice.

It reads the same prompts and answers in the same formats as any model, so that everything behind it runs for real.
`understand.py` and `change.py` (with its rules) read requests, `plans.py` makes manifests, `render.py` writes files. What it cannot do
it says in one sentence, with how to connect a model.
"""

from adapters.llm.builtin.model import BuiltinModel

__all__ = ["BuiltinModel"]
