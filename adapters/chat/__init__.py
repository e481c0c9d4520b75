"""Chat platforms: one package each, and what their renderers share."""
