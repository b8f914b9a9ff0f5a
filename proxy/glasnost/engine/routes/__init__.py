"""What the engine answers, one path or family of paths a file."""
