"""How weights are made, those of the classifier and of a semantic head; nothing of it runs in a gateway."""
