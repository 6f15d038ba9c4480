"""What one user does: Locust user classes, runnable as ``locust -f locustfiles/NAME.py --scenario
SUITE/NAME``.
"""
