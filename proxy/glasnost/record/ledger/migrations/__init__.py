"""The versions of the schema, oldest first; Alembic runs those that a database has not seen."""
