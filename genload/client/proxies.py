"""Proxies that the environment names: genload goes through none, and says so where one was meant."""

from __future__ import annotations

import os
from collections.abc import Mapping
from urllib.parse import urlsplit

from genload.errors import ConfigError


def refuse_proxy(url: str, environment: Mapping[str, str] = os.environ) -> None:
    """See that no proxy is named for `url`, as `HTTPS_PROXY` names one and `NO_PROXY` takes it back.

    What is behind a proxy cannot be measured through it: its queue, its limits and its own refusals would
    be in every number, under the service's name. To go past it in silence would be as wrong: a machine
    that has one often has no other way.

    Raises:
        ConfigError: with the variable's name, and without its value, which may hold a password.
    """
    parts = urlsplit(url)
    names = [f"{parts.scheme}_proxy", "all_proxy"]
    named = [name for name in environment if name.lower() in names and environment[name]]
    if not named or not parts.hostname:
        return
    # Here, not above: it brings in all that urllib can do, and most environments name none.
    from urllib.request import proxy_bypass_environment  # type: ignore[attr-defined]

    exceptions = {"no": environment.get("no_proxy") or environment.get("NO_PROXY") or ""}
    if _is_loopback(parts.hostname) or proxy_bypass_environment(parts.netloc.rpartition("@")[2], exceptions):
        return
    raise ConfigError(
        f"{named[0]} names a proxy for {parts.hostname}, and genload measures services without one",
        key="service.host",
        remedy=f"if there is a direct way, export NO_PROXY={parts.hostname}; else send the load from a "
        "machine that has one",
    )


def _is_loopback(host: str) -> bool:
    return host in ("localhost", "::1") or host.startswith("127.")
