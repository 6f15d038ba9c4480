"""Speech services described in YAML: what they differ in when they are asked to speak, as data.

`dialect` holds the whole of a description, as it is written below ``service.request.dialect``; `dialects`
finds those that have a name (``config/dialects/``); `request` is all that a suite asks of a service, and
`plan` makes its calls of the two. The client that makes them is ``services/speech.py``.
"""
