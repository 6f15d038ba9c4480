"""Whom to trust, and with what to show oneself."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from typing import Any

from gevent import ssl

from genload.errors import ConfigError


@dataclass(frozen=True, slots=True)
class TlsOptions:
    """How a TLS server is verified, and the client's own certificate. All files are PEM.

    Args:
        ca_file: certificates to trust instead of the system's.
        client_certificate, client_key: shown when asked for; the key may stand in the certificate's file.
        verify: False takes any certificate, of any name.
    """

    ca_file: str | None = None
    client_certificate: str | None = None
    client_key: str | None = None
    verify: bool = True


@lru_cache(maxsize=32)
def tls_context(options: TlsOptions) -> Any:
    """The context for these options: one for all clients of a process, as loading certificates takes
    milliseconds and memory that every user would pay.

    Raises:
        ConfigError: a file that cannot be used.
    """
    try:
        context = ssl.create_default_context(cafile=options.ca_file)
    except OSError as error:
        raise ConfigError(
            f"no certificates in {options.ca_file}: {_words(error)}",
            remedy="ca_file must be a PEM file with the certificates of the authorities to trust",
        ) from None
    context.set_alpn_protocols(["http/1.1"])
    if not options.verify:
        context.check_hostname = False
        context.verify_mode = ssl.CERT_NONE
    if options.client_certificate:
        try:
            # Without a password function OpenSSL would ask for one on the terminal, and wait.
            context.load_cert_chain(options.client_certificate, options.client_key, password=lambda: "")
        except OSError as error:
            raise ConfigError(
                f"the client certificate {options.client_certificate} cannot be used: {_words(error)}",
                remedy="client_certificate and client_key must be PEM files of one pair, the key unencrypted",
            ) from None
    return context


def _words(error: OSError) -> str:
    """OpenSSL's or the system's own words, without their numbers."""
    return error.strerror or str(error)
