"""The same conversation with real servers: uvicorn, Werkzeug's (HTTP/1.0 and 1.1) and nginx."""

from __future__ import annotations

import hashlib
import shutil
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from genload.client import ClientError, HttpClient, TlsOptions

from ..real_server import started, stop, unused_port
from .certificates import Authority
from .servers.wsgi_app import BODY

pytestmark = pytest.mark.processes

APPLICATION = Path(__file__).parent / "servers" / "wsgi_app.py"
NGINX = shutil.which("nginx") or shutil.which("/usr/sbin/nginx")
NGINX_CONFIGURATION = """
daemon off; master_process off; pid {folder}/nginx.pid; error_log {folder}/error.log;
events {{ worker_connections 64; }}
http {{
  access_log off; client_max_body_size 100k; keepalive_requests 3; gzip on; gzip_types *; gzip_min_length 1;
  client_body_temp_path {folder}/body; proxy_temp_path {folder}/proxy; fastcgi_temp_path {folder}/fastcgi;
  uwsgi_temp_path {folder}/uwsgi; scgi_temp_path {folder}/scgi;
  root {folder}/www;
  server {{
    listen 127.0.0.1:{port};
    location /moved {{ return 302 /length; }}
    location /empty {{ return 204; }}
  }}
  server {{
    listen 127.0.0.1:{tls_port} ssl; ssl_certificate {certificate}; ssl_certificate_key {key};
    ssl_client_certificate {authority}; ssl_verify_client on;
  }}
}}
"""

Clients = Callable[..., HttpClient]


@pytest.fixture(scope="module", params=["uvicorn", "werkzeug", "werkzeug-1.1"])
def application(request: pytest.FixtureRequest) -> Iterator[tuple[str, str]]:
    """The server's name and URL."""
    port = unused_port()
    process = started([sys.executable, str(APPLICATION), request.param, str(port)], port)
    yield request.param, f"http://127.0.0.1:{port}"
    stop(process)


def test_every_kind_of_answer(application: tuple[str, str], client_of: Clients) -> None:
    server, url = application
    client = client_of(url)
    answers = {
        path: client.get(path) for path in ("/length", "/chunks", "/gzip", "/empty", "/moved", "/busy")
    }
    assert {path: answer.status for path, answer in answers.items()} == {
        "/length": 200, "/chunks": 200, "/gzip": 200, "/empty": 204, "/moved": 302, "/busy": 503,
    }  # fmt: skip
    for path in ("/length", "/chunks", "/gzip"):
        assert answers[path].body == BODY, path
    assert answers["/empty"].body == b""
    assert answers["/busy"].headers["retry-after"] == "5"
    assert len(answers["/chunks"].times.chunks) > 1
    kept = [answer.reused for answer in answers.values()]
    assert kept == ([False] + [True] * 5 if server == "uvicorn" else [False] * 6)


def test_head(application: tuple[str, str], client_of: Clients) -> None:
    client = client_of(application[1])
    for _ in range(2):
        answer = client.request("HEAD", "/length")
        assert (answer.status, answer.body, answer.headers["content-length"]) == (200, b"", str(len(BODY)))
    assert client.get("/length").body == BODY


def test_an_upload(application: tuple[str, str], client_of: Clients) -> None:
    content = BODY * 30
    answer = client_of(application[1]).request("POST", "/echo", body=content)
    assert answer.body == hashlib.sha256(content).hexdigest().encode()


def test_a_connection_that_idled_too_long(application: tuple[str, str], client_of: Clients) -> None:
    client = client_of(application[1])
    client.get("/length")
    end = time.monotonic() + 20
    while client._kept is not None and client._kept.is_alive():  # uvicorn here hangs up after one second
        assert time.monotonic() < end, "it never hung up"
        time.sleep(0.02)
    answer = client.get("/length")
    assert (answer.body, answer.reused) == (BODY, False)


@pytest.fixture(scope="module")
def nginx(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[str, str, Authority]]:
    """The plain URL, the TLS URL, and the authority that signed the server and must sign its clients."""
    if NGINX is None:
        pytest.skip("nginx is not installed")
    folder = tmp_path_factory.mktemp("nginx")
    (folder / "www").mkdir()
    (folder / "www" / "length").write_bytes(BODY)
    authority = Authority(folder, "authority")
    certificate, key = authority.sign("127.0.0.1")
    port, tls_port = unused_port(), unused_port()
    configuration = folder / "nginx.conf"
    configuration.write_text(
        NGINX_CONFIGURATION.format(
            folder=folder,
            port=port,
            tls_port=tls_port,
            certificate=certificate,
            key=key,
            authority=authority.file,
        )
    )
    process = started(
        [NGINX, "-p", str(folder), "-e", str(folder / "start.log"), "-c", str(configuration)], port
    )
    yield f"http://127.0.0.1:{port}", f"https://127.0.0.1:{tls_port}", authority
    stop(process)


def test_nginx_keeps_connections_for_as_long_as_it_likes(
    nginx: tuple[str, str, Authority], client_of: Clients
) -> None:
    client = client_of(nginx[0])
    answers = [client.get("/length") for _ in range(7)]
    assert [answer.reused for answer in answers] == [False, True, True, False, True, True, False]
    assert all(answer.body == BODY for answer in answers)


def test_nginx_answers_of_other_kinds(nginx: tuple[str, str, Authority], client_of: Clients) -> None:
    client = client_of(nginx[0])
    assert (client.get("/moved").status, client.get("/empty").status, client.get("/no").status) == (
        302,
        204,
        404,
    )
    packed = client.get("/length", headers={"Accept-Encoding": "gzip"})
    assert packed.headers["content-encoding"] == "gzip"
    assert (packed.body, packed.bytes_received < len(BODY)) == (BODY, True)
    assert "content-encoding" not in client.get("/length").headers


def test_nginx_refuses_an_upload_that_is_too_large(
    nginx: tuple[str, str, Authority], client_of: Clients
) -> None:
    answer = client_of(nginx[0]).request("POST", "/length", body=bytes(20 << 20))
    assert (answer.status, answer.reused) == (413, False)


def test_nginx_with_client_certificates(nginx: tuple[str, str, Authority], client_of: Clients) -> None:
    _, url, authority = nginx
    certificate, key = authority.sign("client.example")
    client = client_of(url, tls=TlsOptions(str(authority.file), str(certificate), str(key)))
    assert [client.get("/length").reused for _ in range(4)] == [False, True, True, False]
    assert client.get("/length").body == BODY
    unknown = client_of(url, tls=TlsOptions(str(authority.file)))
    assert unknown.get("/length").status == 400
    with pytest.raises(ClientError) as caught:
        client_of(url).get("/length")
    assert caught.value.error_class == "tls"
