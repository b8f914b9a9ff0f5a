"""The append-only, hash-chained record of exchanges, in SQLite or PostgreSQL."""
