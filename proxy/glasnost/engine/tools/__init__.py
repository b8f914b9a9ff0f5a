"""Tools: what a client offers, how a model's format writes a call, and calls read out of the text as it comes."""
