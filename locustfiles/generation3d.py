"""One user of an image-to-3D service: hand over an image, wait for the job, fetch and check the mesh.

locust -f locustfiles/generation3d.py --scenario orfeas/spike --headless -H http://gpu1:5000
"""

from locust import task

from genload.harness.job_user import JobUser
from genload.harness.plugin import install

install()


class Generation3D(JobUser):
    """Locust's statistics show ``upload``, ``submit``, ``download`` and the whole job as ``generate``."""

    @task
    def generate(self) -> None:
        image = self.next_input()
        with self.turn() as turn:
            result = self.run_job(turn, image)
        self.pause_after(result)
