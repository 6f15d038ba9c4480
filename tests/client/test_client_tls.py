"""TLS: whom the client trusts, what it shows, and that its rules for connections hold there too."""

from __future__ import annotations

import ssl
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from genload.client import ClientError, HttpClient, Timeouts, TlsOptions
from genload.errors import ConfigError

from ..scripted_server import Peer, ScriptedServer
from .certificates import Authority

OK = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nhi"

Servers = Callable[..., ScriptedServer]
Clients = Callable[..., HttpClient]
Script = Callable[[Peer], None]


@pytest.fixture(scope="module")
def authority(tmp_path_factory: pytest.TempPathFactory) -> Authority:
    return Authority(tmp_path_factory.mktemp("certificates"), "authority")


def over_tls(
    authority: Authority,
    script: Script,
    name: str = "127.0.0.1",
    *,
    clients: bool = False,
    version: ssl.TLSVersion = ssl.TLSVersion.TLSv1_3,
) -> Script:
    """The script behind a TLS handshake; with `clients`, only for those whom the authority signed."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(*authority.sign(name))
    context.maximum_version = context.minimum_version = version
    if clients:
        context.load_verify_locations(authority.file)
        context.verify_mode = ssl.CERT_REQUIRED

    def wrapped(peer: Peer) -> None:
        peer.sock = context.wrap_socket(peer.sock, server_side=True)
        script(peer)
        peer.sock.close()

    return wrapped


def always(peer: Peer) -> None:
    while peer.read_request():
        peer.sock.sendall(OK)


def url(server: ScriptedServer) -> str:
    return f"https://127.0.0.1:{server.port}"


@pytest.mark.parametrize("version", [ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3])
def test_a_connection_is_kept(
    raw_server: Servers, client_of: Clients, authority: Authority, version: ssl.TLSVersion
) -> None:
    server = raw_server(over_tls(authority, always, version=version))
    client = client_of(url(server), tls=TlsOptions(ca_file=str(authority.file)))
    answers = [client.get("/") for _ in range(4)]
    assert [answer.reused for answer in answers] == [False, True, True, True]
    assert [answer.body for answer in answers] == [b"hi"] * 4
    assert answers[0].connect_s > 0


def test_times_within_tls_are_the_process_own(
    raw_server: Servers, client_of: Clients, authority: Authority
) -> None:
    server = raw_server(over_tls(authority, always))
    client = client_of(url(server), tls=TlsOptions(ca_file=str(authority.file)), stamps="kernel")
    before_s = time.monotonic()
    times = client.get("/").times
    order = [before_s, times.sent_s, times.first_byte_s, times.end_s, time.monotonic()]
    assert order == sorted(order)
    assert client._kept is not None
    assert client._kept.arrived_s == 0.0


def test_a_kept_connection_that_the_server_closed_is_replaced(
    raw_server: Servers, client_of: Clients, authority: Authority
) -> None:
    once = over_tls(authority, lambda peer: peer.answer(OK))
    server = raw_server(once, over_tls(authority, always))
    client = client_of(url(server), tls=TlsOptions(ca_file=str(authority.file)))
    client.get("/")
    assert client._kept is not None
    end = time.monotonic() + 30
    while client._kept.is_alive() and time.monotonic() < end:
        time.sleep(0.005)
    answer = client.get("/")
    assert (answer.status, answer.reused) == (200, False)


def test_large_bodies_in_both_directions(
    raw_server: Servers, client_of: Clients, authority: Authority
) -> None:
    body = bytes(range(256)) * 8192
    received: list[bytes] = []

    def echo(peer: Peer) -> None:
        received.append(peer.read_request())
        peer.sock.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n" % len(body))
        peer.sock.sendall(body)

    server = raw_server(over_tls(authority, echo))
    client = client_of(url(server), tls=TlsOptions(ca_file=str(authority.file)), max_answer_bytes=len(body))
    answer = client.request("POST", "/", body=body)
    assert answer.body == body
    assert received[0].endswith(body)
    assert answer.bytes_sent == len(received[0])


def test_a_body_read_to_an_end_without_close_notify(
    raw_server: Servers, client_of: Clients, authority: Authority
) -> None:
    server = raw_server(over_tls(authority, lambda peer: peer.answer(b"HTTP/1.1 200 OK\r\n\r\nabc")))
    answer = client_of(url(server), tls=TlsOptions(ca_file=str(authority.file))).get("/")
    assert answer.body == b"abc"


def test_silence_under_tls(raw_server: Servers, client_of: Clients, authority: Authority) -> None:
    def silent(peer: Peer) -> None:
        peer.read_request()
        peer.sock.recv(1)

    server = raw_server(over_tls(authority, silent))
    client = client_of(url(server), tls=TlsOptions(ca_file=str(authority.file)), timeouts=Timeouts(10, 0.1))
    with pytest.raises(ClientError) as caught:
        client.get("/")
    assert caught.value.error_class == "receive_timeout"


@pytest.mark.parametrize(
    ("trusted", "name"), [(False, "127.0.0.1"), (True, "other.example")], ids=["authority", "name"]
)
def test_a_server_that_is_not_trusted(
    raw_server: Servers, client_of: Clients, authority: Authority, trusted: bool, name: str
) -> None:
    server = raw_server(over_tls(authority, always, name))
    options = TlsOptions(ca_file=str(authority.file) if trusted else None)
    with pytest.raises(ClientError) as caught:
        client_of(url(server), tls=options).get("/")
    assert caught.value.error_class == "tls"
    assert "certificate verify failed" in caught.value.message
    assert server.requests == []
    assert client_of(url(server), tls=TlsOptions(verify=False)).get("/").body == b"hi"


def test_a_client_certificate(raw_server: Servers, client_of: Clients, authority: Authority) -> None:
    server = raw_server(over_tls(authority, always, clients=True))
    certificate, key = authority.sign("client.example")
    options = TlsOptions(str(authority.file), str(certificate), str(key))
    assert client_of(url(server), tls=options).get("/").body == b"hi"


def test_a_missing_client_certificate(raw_server: Servers, client_of: Clients, authority: Authority) -> None:
    # TLS 1.2 refuses inside the handshake; in TLS 1.3 the refusal races with the reset behind it.
    script = over_tls(authority, always, clients=True, version=ssl.TLSVersion.TLSv1_2)
    with pytest.raises(ClientError) as caught:
        client_of(url(raw_server(script)), tls=TlsOptions(str(authority.file))).get("/")
    assert caught.value.error_class == "tls"


def test_http_spoken_to_a_tls_server(raw_server: Servers, client_of: Clients, authority: Authority) -> None:
    server = raw_server(over_tls(authority, always))
    with pytest.raises(ClientError) as caught:
        client_of(server.url).get("/")
    assert caught.value.error_class in {"protocol", "reset"}


def test_tls_spoken_to_a_plain_server(raw_server: Servers, client_of: Clients) -> None:
    def plain(peer: Peer) -> None:
        peer.sock.recv(1000)
        peer.sock.sendall(b"HTTP/1.1 400 Bad Request\r\n\r\n")

    with pytest.raises(ClientError) as caught:
        client_of(url(raw_server(plain))).get("/")
    assert caught.value.error_class == "tls"


def test_unusable_files_are_explained(authority: Authority, tmp_path: Path) -> None:
    rubbish = tmp_path / "rubbish.pem"
    rubbish.write_text("no certificate")
    certificate, key = authority.sign("a.example")
    _, other_key = authority.sign("b.example")
    locked, locked_key = authority.sign("c.example", password=b"secret")
    wrong = [
        TlsOptions(ca_file=str(tmp_path / "missing.pem")),
        TlsOptions(ca_file=str(rubbish)),
        TlsOptions(client_certificate=str(tmp_path / "missing.pem")),
        TlsOptions(client_certificate=str(certificate)),
        TlsOptions(client_certificate=str(certificate), client_key=str(other_key)),
        TlsOptions(client_certificate=str(locked), client_key=str(locked_key)),
    ]
    for options in wrong:
        with pytest.raises(ConfigError) as caught:
            HttpClient("https://a.example", timeouts=Timeouts(1, 1), max_answer_bytes=1, tls=options)
        assert "PEM" in caught.value.remedy
    assert TlsOptions(client_certificate=str(certificate), client_key=str(key)) != wrong[3]
