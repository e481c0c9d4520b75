"""Durable execution of turns."""
