"""A certificate to serve by: one's own, or one made for this run by an authority that clients can be told to trust."""

import ssl
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

HERE = ("localhost", "127.0.0.1", "::1")


class TlsError(ValueError):
    """A certificate that cannot be served; the message says why."""


@dataclass(frozen=True, slots=True)
class Tls:
    """PEM files: a certificate, its key (None: in the same file), and the authority of one that was made."""

    certificate: Path
    key: Path | None = None
    authority: Path | None = None


def given(certificate: Path, key: Path | None) -> Tls:
    """A certificate of the user's own. Raises TlsError where it cannot be read, or the key is another's."""
    try:
        ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER).load_cert_chain(certificate, key, password=_no_password)
    except OSError as error:  # ssl.SSLError is one
        reason = error.strerror or str(error)
        msg = f"no certificate and key in {' and '.join(map(str, filter(None, (certificate, key))))}: {reason}"
        raise TlsError(msg) from None
    return Tls(certificate, key)


def made(folder: Path, hosts: Iterable[str]) -> Tls:
    """A certificate for this machine and these hosts, and the authority behind it, as files in a folder."""
    import trustme  # noqa: PLC0415 - with all of cryptography, for this alone

    authority = trustme.CA(organization_name="relayproof mock")
    leaf = authority.issue_cert(*dict.fromkeys((*HERE, *hosts)), common_name="relayproof mock")
    tls = Tls(folder / "certificate.pem", None, folder / "authority.pem")
    leaf.private_key_and_cert_chain_pem.write_to_path(str(tls.certificate))
    tls.certificate.chmod(0o600)
    authority.cert_pem.write_to_path(str(tls.authority))
    return tls


def _no_password() -> str:
    msg = "the key is encrypted"
    raise OSError(msg)
