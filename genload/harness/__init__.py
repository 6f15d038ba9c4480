"""The Locust side of a run."""

from genload import housekeeping

housekeeping.begin()  # here, because it is imported before everything else of this room
