"""What one user does. A file has the user classes of Locust, and can be run by Locust alone:
``locust -f locustfiles/NAME.py --scenario SUITE/NAME``.
"""
