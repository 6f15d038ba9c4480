"""What a load would come to, before a single request is sent: its very timeline, simulated against an assumed
service, and each criterion judged on the requests that come of it.
"""

from genload.analysis.plan.assumed import AssumedService, constant
from genload.analysis.plan.observed import observed_service
from genload.analysis.plan.outlook import CriterionOutlook, Outlook
from genload.analysis.plan.scenario import ScenarioPlan, plan_scenario

__all__ = [
    "AssumedService",
    "CriterionOutlook",
    "Outlook",
    "ScenarioPlan",
    "constant",
    "observed_service",
    "plan_scenario",
]
