"""What answers: engines of our own, servers that speak the OpenAI API, LiteLLM's providers, or a script."""
