"""A user of a text-to-speech service: it sends a text, and listens to the audio that comes back.

locust -f locustfiles/speech.py --scenario litetts/heavy --headless -H http://127.0.0.1:8354
"""

from locust import task

from genload.harness.plugin import install
from genload.harness.speech_user import SpeechUser

install()


class Speech(SpeechUser):
    """In Locust's statistics each request is ``speech``."""

    @task
    def say(self) -> None:
        utterance = self.next_utterance()
        with self.turn() as turn:
            result = self.speak(turn, utterance)
        self.pause_after(result)
