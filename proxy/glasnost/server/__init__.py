"""The HTTP shell: routes, middleware and the shapes of responses; everything it decides is decided elsewhere."""
