"""`/v1/messages`, as clients of Anthropic speak: blocks to a chat, and its answer to blocks or to events."""
