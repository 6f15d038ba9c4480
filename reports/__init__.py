"""Renderings of judged runs. A file here defines ``render(suite: JudgedSuite, folder: Path) -> list[Path]``:

it writes its files into `folder` (through `genload.reporting.write_text`, so that each appears whole) and
returns their paths. It computes nothing about a verdict: everything is in the `JudgedSuite` already, and for
charts the records and samples of each run as columns of numpy (``run.recorded``). It is named in a suite's
``reports:``, and imports the engine and libraries, never another report.

A run that was scaled or forced says so first: `genload.reporting.wording.rehearsal_note`. Text of a
service is hostile until `plain` and the format's own escaping have seen it.
"""
