"""genload: load tests with a verdict for GPU generation services, on Locust."""

__version__ = "0.1.0"
