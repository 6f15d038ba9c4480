"""How much a service can hold: which level comes next, and what the levels say together."""
