"""Judging an answer: pure functions from a policy, a conversation and an answer to a verdict."""
