"""One user of a text-to-speech service: send a text, listen to what comes back.

locust -f locustfiles/speech.py --scenario litetts/heavy --headless -H http://127.0.0.1:8354
"""

from locust import task

from genload.harness.plugin import install
from genload.harness.speech_user import SpeechUser

install()


class Speech(SpeechUser):
    """Locust's statistics show each request as ``speech``."""

    @task
    def say(self) -> None:
        utterance = self.next_utterance()
        with self.turn() as turn:
            result = self.speak(turn, utterance)
        self.pause_after(result)
