"""A proxy in the environment is neither used nor passed over in silence."""

from __future__ import annotations

import pytest

from genload.client.proxies import refuse_proxy
from genload.errors import ConfigError

PROXY = "http://me:pa55word@proxy.example:3128"


@pytest.mark.parametrize(
    ("url", "environment"),
    [
        ("https://gpu1.example/tts", {}),
        ("https://gpu1.example/tts", {"HTTPS_PROXY": ""}),
        ("https://gpu1.example/tts", {"HTTP_PROXY": PROXY}),
        ("http://gpu1.example", {"https_proxy": PROXY}),
        ("http://127.0.0.1:5000", {"http_proxy": PROXY, "ALL_PROXY": PROXY}),
        ("http://localhost:5000", {"http_proxy": PROXY}),
        ("http://[::1]:5000", {"http_proxy": PROXY}),
        ("https://gpu1.example", {"HTTPS_PROXY": PROXY, "NO_PROXY": "other, gpu1.example"}),
        ("https://gpu1.example:8443", {"HTTPS_PROXY": PROXY, "no_proxy": ".example"}),
        ("https://gpu1.example", {"HTTPS_PROXY": PROXY, "no_proxy": "*"}),
    ],
)
def test_where_none_is_meant_nothing_is_said(url: str, environment: dict[str, str]) -> None:
    refuse_proxy(url, environment)


@pytest.mark.parametrize(
    ("url", "environment", "name"),
    [
        ("https://gpu1.example/tts", {"HTTPS_PROXY": PROXY}, "HTTPS_PROXY"),
        ("http://gpu1.example:5000", {"http_proxy": PROXY}, "http_proxy"),
        ("https://gpu1.example", {"ALL_PROXY": PROXY}, "ALL_PROXY"),
        ("https://gpu1.example", {"HTTPS_PROXY": PROXY, "NO_PROXY": "gpu2.example"}, "HTTPS_PROXY"),
    ],
)
def test_one_that_is_meant_is_refused_with_what_to_do(
    url: str, environment: dict[str, str], name: str
) -> None:
    with pytest.raises(ConfigError) as raised:
        refuse_proxy(url, environment)
    words = raised.value.render()
    assert f"{name} names a proxy for gpu1.example" in words and "export NO_PROXY=gpu1.example" in words
    assert "pa55word" not in words
    refuse_proxy(url, {**environment, "NO_PROXY": "gpu1.example"})
