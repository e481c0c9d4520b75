"""The web pages: local chat, diffs and evidence; and the gate in front of the previews."""
