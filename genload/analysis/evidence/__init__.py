"""How sure an observed number is: bounds on it, what they rest on, and what more would decide."""
