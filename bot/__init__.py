"""
The service. Where to start reading:

core/turn.py        one turn, read downwards: plan, write, check, repair, commit, preview
core/ports.py       what the core needs of the world; adapters/ has one folder for each
core/thread/        whose word counts in a thread, and what an event starts, queues, steers or takes back
bot/turns.py        the boundary of a turn: whatever happens inside, one reply comes out
bot/outbox.py       brings what is to be said to Slack and Discord, once and in order
bot/replies.py      a result becomes a message
bot/app.py          what is open; bot/wiring.py opens it and puts it together
bot/web/            the local chat, diffs and evidence
bot/gate/           who may open a preview, and its receipts
bot/__main__.py     the command line

docs/architecture.md has the map, docs/glossary.md the words.
"""
