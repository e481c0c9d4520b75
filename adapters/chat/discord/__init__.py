"""Discord: `render` is pure, `events` translates what comes in, `port` talks to it by discord.py."""
