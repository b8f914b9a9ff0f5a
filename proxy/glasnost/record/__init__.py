"""What happened, as values, and what is made of it: metrics."""
