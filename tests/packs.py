"""The shipped packs, compiled once in a process: it is a second of work, and a policy never changes."""

from functools import cache

from glasnost.cli.load import load_policy

compiled = cache(load_policy)
