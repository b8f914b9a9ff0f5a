"""JSON schemas as grammars: what a model generates under one is JSON that the schema accepts."""

from glasnost.engine.schema.compile import add_object, add_schema

__all__ = ["add_object", "add_schema"]
