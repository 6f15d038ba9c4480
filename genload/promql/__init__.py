"""What a Prometheus answers to a query: its series, and the steps of a window."""
