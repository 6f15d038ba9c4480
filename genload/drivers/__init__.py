"""The drivers: each makes all calls of one request in their order, with retries, pauses and a deadline."""
