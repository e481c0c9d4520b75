"""
The service. Where to start reading:

core/turn.py        one turn, read downwards: plan, write, check, repair, commit, preview
core/ports.py       what the core needs of the world; adapters/ has one folder for each
bot/inbox.py        an event becomes a row, and starts, queues or steers a turn
bot/lines.py        whose go it is in a thread
bot/turns.py        the boundary of a turn: whatever happens inside, one reply comes out
bot/commands.py     words, buttons and reactions, one function each; bot/approvals.py: the owner's word about guests
bot/people.py       who may start, who may drive, what is said to the bot
bot/outbox.py       brings what is to be said to Slack and Discord, once and in order
bot/replies.py      a result becomes a message
bot/wiring.py       opens everything and puts it together
bot/web/            the local chat, diffs and evidence, the preview gate
bot/__main__.py     the command line

docs/architecture.md has the map, docs/glossary.md the words.
"""
