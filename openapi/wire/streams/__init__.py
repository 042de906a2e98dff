"""One module a streaming protocol. Each exports Symbol, State, GRAMMAR, classify and fold."""
