"""Glasnost: an OpenAI-compatible proxy that audits every answer and reroutes censored ones."""

__version__ = "0.1.0"
