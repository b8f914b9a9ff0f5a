"""How chat templates run: as the hostile code that they may be."""
