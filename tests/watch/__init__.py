"""Watching: what triggers a round, what a round does, and what is told of it."""
