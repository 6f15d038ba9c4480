"""How to talk to one API: a file each, found by its name (``service: {api: orfeas}``).

A file defines ``Client``, a subclass of `genload.service.JobClient` or `genload.service.SpeechClient`, which

- declares what a suite may say about each request (``Request``, a settings model),
- has one method for each part of a job: ``ready``, ``upload``, ``submit``, ``poll``, ``fetch`` and, where the
  service can, ``cancel``; or ``ready`` and ``speak``; each call is named with ``step``,
- raises `genload.service.ServiceError` for every answer that is no success, ``rejected`` for "not now",
- checks a job's output with ``inspect``, off the event loop; audio is checked the same way for every service.

It neither retries nor waits: `genload.drivers` does that, the same way for every service. It imports the
engine and libraries, never another file of a wing.
"""
