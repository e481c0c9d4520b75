"""
What inspects a tree. `suite.py` runs all checks by level; each other file is one check.

The host only ever parses generated code. Configuration that the app brings is not read by any tool that runs here.
"""
