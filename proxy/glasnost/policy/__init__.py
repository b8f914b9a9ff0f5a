"""Topic policies as values: what a topic is, how its file is read, where it is touched. No I/O here."""
