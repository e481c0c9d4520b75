"""
Whose word counts in a thread, and what it starts.

intake.py       an event becomes a decision: load the thread's state, decide, apply, in one transaction
state.py        what is known of a thread when an event comes in
decisions.py    what a decision can change
messages.py     what a message means: not for the bot, one that waits for its owner's word, or one to act on
commands.py     one row for each command: its words, emoji, label, help, and where it counts
access.py       who may start a thread, who may drive it, which messages are meant for the bot
line.py         turns that run and wait: dropping, stopping, resuming
undo.py         taking turns back, bringing them back, settling clashes
approvals.py    what waits for somebody's word
settings.py     what can be set, and steps that need a second word
troubles.py     errors of the running app, and the request that fixes one
transcript.py   messages as they are kept
ports.py        what this needs of the world: the rows of threads, and the engine

All of it is pure but for the port that `intake` is given: data in, data out.
"""
