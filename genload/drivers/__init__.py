"""What takes a request through a service's client from its start to its end: a job, or a speech request."""
