"""What goes over the wire, to the byte, and what is refused before anything does."""

from __future__ import annotations

import io
from collections.abc import Callable

import pytest
from werkzeug.formparser import parse_form_data

from genload import __version__
from genload.client import HttpClient
from genload.client.multipart import multipart
from genload.client.origin import Origin
from genload.client.request_head import RequestHead
from genload.errors import ConfigError

from ..scripted_server import Peer, ScriptedServer

Servers = Callable[..., ScriptedServer]
Clients = Callable[..., HttpClient]


def head(base_url: str = "http://gpu1:5000", headers: dict[str, str] | None = None) -> RequestHead:
    return RequestHead(Origin(base_url), headers or {})


def script(peer: Peer) -> None:
    while peer.read_request():
        peer.sock.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n")


def test_the_bytes_of_a_get() -> None:
    assert head(headers={"Authorization": "Bearer x"}).bytes_for("GET", "/a?b=c", None, None) == (
        b"GET /a?b=c HTTP/1.1\r\nHost: gpu1:5000\r\nUser-Agent: genload/" + __version__.encode() + b"\r\n"
        b"Accept: */*\r\nAccept-Encoding: identity\r\nAuthorization: Bearer x\r\n\r\n"
    )


def test_a_header_of_the_same_name_replaces_ours_whatever_its_case() -> None:
    sent = head(headers={"X-Key": "old"}).bytes_for(
        "GET", "/", {"accept-ENCODING": "gzip", "x-key": "new"}, None
    )
    lines = sent.split(b"\r\n")
    assert b"accept-ENCODING: gzip" in lines
    assert b"x-key: new" in lines
    assert b"identity" not in sent
    assert b"old" not in sent


def test_header_values_go_out_as_latin_1() -> None:
    assert b"X-Name: Andr\xe9\r\n" in head().bytes_for("GET", "/", {"X-Name": "André"}, None)


@pytest.mark.parametrize(
    ("method", "body_bytes", "length"),
    [("GET", None, None), ("POST", None, b"0"), ("PUT", 0, b"0"), ("DELETE", 3, b"3"), ("GET", 0, b"0")],
)
def test_content_length(method: str, body_bytes: int | None, length: bytes | None) -> None:
    sent = head().bytes_for(method, "/", None, body_bytes)
    assert (b"Content-Length: " in sent) is (length is not None)
    if length is not None:
        assert b"\r\nContent-Length: " + length + b"\r\n" in sent


@pytest.mark.parametrize(
    ("headers", "method"),
    [
        ({"X-A": "b\r\nX-Evil: 1"}, "GET"),
        ({"X-A": "b\nX-Evil: 1"}, "GET"),
        ({"X-A": "b\x00"}, "GET"),
        ({"X-A": "smile ☺"}, "GET"),
        ({"X-A\r\nX-Evil": "1"}, "GET"),
        ({"X A": "1"}, "GET"),
        ({"": "1"}, "GET"),
        ({"Content-Length": "7"}, "POST"),
        ({"transfer-encoding": "chunked"}, "POST"),
        ({}, "GET /evil HTTP/1.1\r\n"),
        ({}, ""),
    ],
)
def test_what_could_begin_another_request_is_refused(headers: dict[str, str], method: str) -> None:
    with pytest.raises(ValueError, match=r"header|client itself|method"):
        head().bytes_for(method, "/", headers, None)
    if headers:
        with pytest.raises(ValueError, match=r"header|client itself"):
            head(headers=headers)


def test_requests_with_other_headers_in_turn_each_have_their_own() -> None:
    own = head(headers={"X-Key": "mine"})
    plain, other, replaced = {"X-A": "1"}, {"X-A": "2", "X-B": "3"}, {"x-key": "yours"}
    for _ in range(2):
        for headers, wanted, unwanted in (
            (plain, b"X-Key: mine\r\nX-A: 1\r\n", b"X-B"),
            (other, b"X-Key: mine\r\nX-A: 2\r\nX-B: 3\r\n", b"X-A: 1"),
            (replaced, b"x-key: yours\r\n", b"mine"),
        ):
            sent = own.bytes_for("POST", "/", headers, 0)
            assert wanted in sent and unwanted not in sent


def test_a_refused_header_does_not_show_its_value() -> None:
    with pytest.raises(ValueError, match="Authorization") as caught:
        head(headers={"Authorization": "Bearer s3cret\n"})
    assert "s3cret" not in str(caught.value)


@pytest.mark.parametrize("path", ["/a\r\nX: y", "/a\nb", "/\x00", "/a\tb", "/\x7f", "http://gpu1:5000/\r\n"])
def test_control_characters_in_a_path_are_refused(path: str) -> None:
    with pytest.raises(ValueError, match="control characters"):
        head().bytes_for("GET", path, None, None)


@pytest.mark.parametrize(
    ("path", "target"),
    [
        ("/api/x", "/api/x"),
        ("api/x", "/api/x"),
        ("", "/"),
        ("?a=b", "/?a=b"),
        ("/a b/ü?q=é", "/a%20b/%C3%BC?q=%C3%A9"),
        ("/already%20done", "/already%20done"),
        ("/a#fragment", "/a"),
        ("/proxy/http://other/", "/proxy/http://other/"),
        ("//other/x", "//other/x"),
        ("http://gpu1:5000/x?u=http://y", "/x?u=http://y"),
        ("http://GPU1:5000", "/"),
        ("http://gpu1:5000?a", "/?a"),
    ],
)
def test_targets(path: str, target: str) -> None:
    assert head().target(path) == target


def test_a_path_in_the_base_goes_in_front_but_not_of_whole_urls() -> None:
    assert head("http://gpu1/a b").target("/x") == "/a%20b/x"
    requests = head("https://gpu1/prefix/")
    assert requests.target("/x") == "/prefix/x"
    assert requests.target("https://gpu1:443/prefix/y") == "/prefix/y"


@pytest.mark.parametrize(
    "url", ["http://gpu2:5000/", "http://gpu1/", "https://gpu1:5000/", "ftp://gpu1:5000/", "http://gpu1:x/"]
)
def test_another_origin_is_refused(url: str) -> None:
    with pytest.raises(ValueError, match="leads away"):
        head().target(url)


@pytest.mark.parametrize(
    ("base_url", "authority"),
    [
        ("http://gpu1", "gpu1"),
        ("http://gpu1:80", "gpu1"),
        ("https://gpu1:443/x", "gpu1"),
        ("http://gpu1:443", "gpu1:443"),
        ("http://[::1]:5000", "[::1]:5000"),
        ("http://bücher.example", "xn--bcher-kva.example"),
    ],
)
def test_the_host_header(base_url: str, authority: str) -> None:
    assert Origin(base_url).authority == authority


@pytest.mark.parametrize(
    "base_url",
    ["gpu1:5000", "localhost", "", "ftp://gpu1", "http://", "http://gpu1:99999", "http://gpu1:x", "http://[::1",
     "http://me:s3cret@gpu1", "http://gpu1?x=1", "http://gpu1#x"],
)  # fmt: skip
def test_a_wrong_address_is_explained(base_url: str) -> None:
    with pytest.raises(ConfigError) as caught:
        Origin(base_url)
    assert "http://gpu1:5000" in caught.value.remedy
    assert "s3cret" not in caught.value.render()


def test_json_goes_out_as_json(raw_server: Servers, client_of: Clients) -> None:
    server = raw_server(script)
    answer = client_of(server.url).post_json("/x", {"a": [1, None, "ü"]}, headers={"X-Request-ID": "r1"})
    request = server.requests[0]
    assert request.endswith('\r\n\r\n{"a":[1,null,"ü"]}'.encode())
    assert b"\r\nContent-Type: application/json\r\n" in request
    assert b"\r\nX-Request-ID: r1\r\n" in request
    assert answer.bytes_sent == len(request)


def test_an_upload_is_a_form_with_a_length(raw_server: Servers, client_of: Clients) -> None:
    server = raw_server(script)
    content = bytes(range(256)) * 4000
    client_of(server.url).post_multipart("/up", "image", "a.png", content, "image/png", fields={"seed": "7"})
    top, _, body = server.requests[0].partition(b"\r\n\r\n")
    headers = dict(line.split(": ", 1) for line in top.decode().split("\r\n")[1:])
    assert int(headers["Content-Length"]) == len(body)
    _, form, files = parse_form_data(
        {
            "REQUEST_METHOD": "POST",
            "CONTENT_TYPE": headers["Content-Type"],
            "CONTENT_LENGTH": headers["Content-Length"],
            "wsgi.input": io.BytesIO(body),
        }
    )
    assert form["seed"] == "7"
    assert files["image"].read() == content
    assert (files["image"].filename, files["image"].mimetype) == ("a.png", "image/png")


def test_the_bytes_of_a_form() -> None:
    content_type, body = multipart('im"age', "a\r\nb.png", b"\x00", "image/png", boundary="XX")
    assert content_type == "multipart/form-data; boundary=XX"
    assert body == (
        b'--XX\r\nContent-Disposition: form-data; name="im%22age"; filename="a%0D%0Ab.png"\r\n'
        b"Content-Type: image/png\r\n\r\n\x00\r\n--XX--\r\n"
    )


def test_boundaries_differ() -> None:
    kinds = {multipart("f", "n", b"", "image/png")[0] for _ in range(10)}
    assert len(kinds) == 10


def test_a_media_type_cannot_bring_headers_along() -> None:
    with pytest.raises(ValueError, match="media type"):
        multipart("f", "n", b"", "image/png\r\nX: y")


def test_a_request_that_is_made_once_follows_its_headers() -> None:
    requests = head()
    headers = {"X-Request-ID": "1"}
    first = requests.bytes_for("GET", "/state", headers, None)
    assert requests.bytes_for("GET", "/state", {"X-Request-ID": "1"}, None) == first
    headers["X-Request-ID"] = "2"
    assert requests.bytes_for("GET", "/state", headers, None) == first.replace(b": 1\r\n", b": 2\r\n")
    assert b"X-Request-ID" not in requests.bytes_for("GET", "/state", None, None)
    assert requests.bytes_for("HEAD", "/state", None, None).startswith(b"HEAD /state ")
    assert requests.bytes_for("GET", "/other", None, None).startswith(b"GET /other ")
