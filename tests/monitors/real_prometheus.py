"""Debian's Prometheus as a process that a test can kill and start again."""

from __future__ import annotations

import subprocess
from pathlib import Path

import yaml

from ..client.certificates import Authority
from ..listening import listening_port

INTERVAL_S = 0.5
"""How often it scrapes."""


class Prometheus:
    """One with TLS, whose user is ``admin`` with the password ``test``; its data outlives the process."""

    def __init__(self, program: str, folder: Path, targets: dict[str, str]) -> None:
        self._port, self._folder = 0, folder
        self.authority = Authority(folder, "authority")
        certificate, key = self.authority.sign("127.0.0.1")
        jobs = [
            {"job_name": name, "honor_labels": True, "static_configs": [{"targets": [target]}]}
            for name, target in targets.items()
        ]
        scraping = {"global": {"scrape_interval": f"{INTERVAL_S * 1e3:.0f}ms"}, "scrape_configs": jobs}
        scraping["global"]["scrape_timeout"] = scraping["global"]["scrape_interval"]
        web = {
            "tls_server_config": {"cert_file": str(certificate), "key_file": str(key)},
            # bcrypt of "test", the example of Prometheus's own documentation.
            "basic_auth_users": {"admin": "$2b$12$hNf2lSsxfm0.i4a.1kVpSOVyBCfIB51VRjgBUyv6kdnyTlgWj81Ay"},
        }
        for name, content in (("scraping", scraping), ("web", web)):
            (folder / f"{name}.yml").write_text(yaml.safe_dump(content))
        self._command = [
            program,
            f"--config.file={folder / 'scraping.yml'}",
            f"--web.config.file={folder / 'web.yml'}",
            f"--storage.tsdb.path={folder / 'tsdb'}",
        ]

    @property
    def url(self) -> str:
        return f"https://127.0.0.1:{self._port}"

    def start(self) -> None:
        with (self._folder / "prometheus.log").open("ab") as log:
            listens = f"--web.listen-address=127.0.0.1:{self._port}"  # the same again when it starts again
            self._process = subprocess.Popen([*self._command, listens], stdout=log, stderr=log)
        self._port = listening_port(self._process)

    def kill(self) -> None:
        self._process.kill()
        self._process.wait()
