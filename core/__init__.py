"""What the product does: pure rules and data, no I/O, clock, dice or log. Start with `turn.py`."""
