"""The shapes of the OpenAI API as values: requests, answers, chunks, server-sent events and errors; no I/O."""
