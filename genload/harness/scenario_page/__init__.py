"""A page of genload's own in Locust's web UI: the run while it goes on, its verdict, and how to begin one."""

from genload.harness.scenario_page.page import ScenarioPage

__all__ = ["ScenarioPage"]
