"""Text to speech: four dialects of one API, a real engine, and a tone for tests that need exact times.

* The dialects (`litetts`, `kokoro`, `openai`, `vllm`) differ in routes, checks, error bodies and in whether
  they stream; all else is shared.
* The engine ``hibari`` really speaks (`speaker`); ``tone`` hums for as long as the text says, on a schedule
  that it keeps to a fraction of a millisecond with 500 streams at once (`pacer`).
* HTTP is spoken by hand (`wire`), because the truth log needs the moment just before each write, and faults
  need a wire that can be cut anywhere.

Time is real here: there is no time scale. ``GET /ready`` is the testbed's own, in every dialect.
"""
