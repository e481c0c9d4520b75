"""The machine that the bot runs on: its folders."""
