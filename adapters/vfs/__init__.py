"""The sessions' git history."""
