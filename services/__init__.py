"""The files that talk to one API each. A suite names the file: ``service: {api: orfeas}``.

A file defines ``Client``, a subclass of `genload.service.JobClient` or `genload.service.SpeechClient`. The
client:

- declares which keys ``service.request`` of a suite may have (``Request``, a settings model),
- has one method for each call of a job: ``ready``, ``upload``, ``submit``, ``poll``, ``fetch`` and, if the
  service has such a call, ``cancel``. A client of speech has ``ready`` and ``speak``. It gives each call a
  name with ``step``,
- raises `genload.service.ServiceError` for every answer that is no success; with ``rejected`` if another try
  makes sense later,
- checks the output of a job with ``inspect``. Audio is checked by the engine.

The client does not retry and does not wait: `genload.drivers` does both, in the same way for every service. A
file imports the engine and libraries, but no other file of a wing.
"""
