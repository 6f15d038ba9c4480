"""A job service that no other example knows, which keeps its results on another origin."""

from __future__ import annotations

import base64
import time

from .imitations import Asked, Imitation, Told, decoded, mesh_of

TOKEN = "Bearer only-for-the-foundry"  # noqa: S105  of a service that ends with the test


class Assets(Imitation):
    """Where the results are: whoever sends credentials here is told off."""

    files: dict[str, bytes]

    def answer(self, asked: Asked) -> Told:
        if "authorization" in asked.headers:
            return Told({"message": "credentials do not belong here"}, 400)
        return Told(self.files[asked.path])


class Foundry(Imitation):
    """A session, a render in it, its phase, its asset. Trap ``broken``: a render fails, in its own words."""

    def __init__(self, assets: Assets, trap: str = "") -> None:
        super().__init__(trap)
        self._assets = assets
        assets.files = {}

    def answer(self, asked: Asked) -> Told:
        if asked.path == "/":
            return Told({"foundry": "open"})
        if asked.headers.get("authorization") != TOKEN:
            return Told({"why": {"text": "who are you?"}}, 401)
        way = asked.path.strip("/").split("/")
        if asked.path == "/sessions":
            return Told({"session": {"token": f"s{len(self.asked)}"}}, 201)
        if way[0] == "sessions" and way[2:] == ["renders"]:
            image = base64.b64decode(asked.json()["picture"], validate=True)
            decoded(image)
            return Told({"render": self.begin(image)}, 202)
        return Told(self._phase(way[1]))

    def _phase(self, job_id: str) -> dict[str, object]:
        if time.monotonic() - self.jobs[job_id][0] < 0.05:
            return {"phase": "WAITING"}
        if not self.is_done(job_id):
            return {"phase": "SCULPTING"}
        if self.trap == "broken":
            return {"phase": "BROKEN", "why": {"text": "the clay is dry"}}
        path = f"/assets/{job_id}.glb"
        self._assets.files[path] = mesh_of(self.jobs[job_id][1])
        return {"phase": "READY", "asset": f"{self._assets.url}{path}?signature=abc"}
