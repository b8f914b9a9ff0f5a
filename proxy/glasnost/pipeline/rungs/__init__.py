"""The ways in which a rung asks: each turns the client's request into calls of an upstream and gives back an answer."""
