"""nginx on a core of its own: a file of 48,000 bytes, and answers to a poll."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

PORT = 18_480
BODY_BYTES = 48_000

NGINX = """
daemon off; worker_processes 1; pid {folder}/nginx.pid; error_log stderr crit;
events {{ worker_connections 16000; }}
http {{
  access_log off; default_type application/octet-stream; keepalive_requests 100000000; sendfile on;
  open_file_cache max=10; keepalive_timeout 120s;
  client_body_temp_path {folder}/body; proxy_temp_path {folder}/proxy; fastcgi_temp_path {folder}/fastcgi;
  uwsgi_temp_path {folder}/uwsgi; scgi_temp_path {folder}/scgi;
  server {{
    listen 127.0.0.1:{port} backlog=4096; root {folder}/www;
    location /api/ {{ return 200 '{{"job_id": "1", "status": "processing"}}'; }}
    location /new/api/ {{ keepalive_timeout 0; return 200 '{{"job_id": "1", "status": "processing"}}'; }}
  }}
}}
"""


@contextmanager
def nginx(folder: Path, core: int) -> Iterator[None]:
    (folder / "www").mkdir()
    folder.chmod(0o755)  # the worker runs as another user
    (folder / "www" / "file").write_bytes(os.urandom(BODY_BYTES))
    configuration = folder / "nginx.conf"
    configuration.write_text(NGINX.format(folder=folder, port=PORT))
    command = ["taskset", "-c", str(core), "nginx", "-p", str(folder), "-c", str(configuration)]
    process = subprocess.Popen(command)
    time.sleep(0.5)
    if process.poll() is not None:
        sys.exit(f"nginx does not run: is port {PORT} in use?")
    try:
        yield
    finally:
        process.terminate()
        process.wait(10)
