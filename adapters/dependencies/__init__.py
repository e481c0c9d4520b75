"""
Packages that an app asks for beyond those of the sandbox.

wanted.py    reads what it asks for: names and versions of a registry, nothing else
registry.py  asks the registries whether those exist, and since when
install.py   installs them once, in a sandbox whose only way out is `egress.py`, a proxy to the registries; nothing of the
             packages runs there. Runs and previews get them beside the app's files.
"""
