"""A user of an image-to-3D service: it sends an image, waits for the job, downloads the mesh and checks it.

locust -f locustfiles/generation3d.py --scenario orfeas/spike --headless -H http://gpu1:5000
"""

from locust import task

from genload.harness.job_user import JobUser
from genload.harness.plugin import install

install()


class Generation3D(JobUser):
    """In Locust's statistics a job is ``generate``, its calls are ``upload``, ``submit`` and ``download``."""

    @task
    def generate(self) -> None:
        image = self.next_input()
        with self.turn() as turn:
            result = self.run_job(turn, image)
        self.pause_after(result)
