"""Locust's FastHttpUser, which looks at nothing: the peer of the whole users."""

from __future__ import annotations

from locust import FastHttpUser, task


class Fast(FastHttpUser):
    """As `locustfiles/speech.py`, without everything that this does."""

    @task
    def say(self) -> None:
        order = {"input": "x" * 50, "voice": "af_heart", "response_format": "wav"}
        self.client.post("/v1/audio/speech", json=order)
