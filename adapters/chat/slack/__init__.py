"""Slack: `render` is pure, `events` translates what comes in, `port` talks to it by slack-bolt and slack-sdk."""
