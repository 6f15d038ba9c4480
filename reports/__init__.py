"""The files that write reports. A suite names them: ``reports: [results_json, junit]``.

A file defines ``render(suite: JudgedSuite, folder: Path) -> list[Path]``. This function writes its files into
`folder`, with `genload.reporting.write_text`, so that nobody sees a half-written file, and returns their
paths. It computes nothing about the verdict: all of that is in the `JudgedSuite`. For charts,
``run.recorded`` has the records and samples of each run as columns of numpy. A report imports the engine and
libraries, but no other report.

The report of a run with a time scale, or of a rehearsal, says so in its first line
(`genload.reporting.wording.rehearsal_note`). Text that came from a service may be an attack: a report writes
it only after `plain` and after the escaping of its own format.
"""
