"""`/v1/responses`, without state: input items to a chat, and its answer to output items or the events of a stream."""
