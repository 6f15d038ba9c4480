"""From judged runs to files: which runs a suite folder holds, and the reports wing that renders them."""

from genload.reporting.files import write_reports, write_text
from genload.reporting.suite_folder import judge_run, judge_suite_folder, suite_of

__all__ = [
    "judge_run",
    "judge_suite_folder",
    "suite_of",
    "write_reports",
    "write_text",
]
