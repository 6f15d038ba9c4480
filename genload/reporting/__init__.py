"""From judged runs to files: which runs a suite folder holds, and the reports wing that renders them."""

from genload.reporting.files import write_reports, write_text
from genload.reporting.suite_folder import (
    is_run_directory,
    judge_run,
    judge_suite_folder,
    run_directories,
    suite_of,
)

__all__ = [
    "is_run_directory",
    "judge_run",
    "judge_suite_folder",
    "run_directories",
    "suite_of",
    "write_reports",
    "write_text",
]
