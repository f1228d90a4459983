"""Why a host's libvirt is not reached by TLS. Of a certificate that fails libvirt tells only that it does, so it is
looked at once more, by OpenSSL, which says what is wrong with it. Called by connection.py.
"""

import os
import socket
import ssl
from contextlib import suppress
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

from cloudsync.model.dataclass import dataclass
from cloudsync.model.problem import HostError, TransientError

_PORT = 16514
_PATIENCE = 4.0
"""Seconds for a look."""
_HOW = "https://libvirt.org/kbase/tlscerts.html"
_RENEW = f"have its authority make a new one ({_HOW})"
_WORDS = (
    ("expired", "expired", f"{_RENEW}: cert_file of that host's libvirtd.conf, then restart libvirtd there"),
    ("not yet valid", "is not valid yet", "are the clocks of both machines right?"),
    ("ismatch", "is for another name", "call the host in its uri as its certificate does (subjectAltName)"),
)
_LISTEN = (
    "start it there: systemctl enable --now libvirtd-tls.socket (virtproxyd-tls.socket where libvirt is modular), or "
    "`libvirtd --listen`"
)


@dataclass(frozen=True, slots=True)
class _End:
    """What a URI names: a listener, and the certificates of this side."""

    host: str
    port: int
    authority: Path
    certificate: Path
    key: Path


def explain_tls(host: str, uri: str, text: str) -> HostError:
    """`text` are libvirt's words."""
    end, lead = _end(uri), f"host {host}: TLS to {uri.partition('?')[0]}: "
    if "Failed to verify peer" in text:
        return _distrusted(lead, end)
    if "TLS confirmation" in text:
        what = f"{lead}it does not take {end.certificate}"
        if not end.certificate.exists():
            what = f"{lead}it wants a certificate of this side, and {end.certificate} is not there"
        hint = f"take one of the authority in that host's ca_file ({_HOW}); tls_allowed_dn_list there may bar it too"
        return HostError(what, hint)
    if "Cannot read" in text:
        return HostError(f"{lead}{text}", "put it there, or say with pkipath= in the uri in which folder it lies")
    if "Our own certificate" in text or "certificate" in text:
        return HostError(f"{lead}{text}", f"{_RENEW}; the files lie in {end.certificate.parent}")
    if "Connection refused" in text:
        return TransientError(f"{lead}nobody listens at port {end.port}", _LISTEN)
    if "No route" in text or "timed out" in text or "unreachable" in text:
        hint = f"is the machine on, and does the network or a firewall let port {end.port} through?"
        return HostError(f"{lead}{text}", hint)
    return HostError(f"{lead}{text}", f"try: virsh -c '{uri}' version")


def _distrusted(lead: str, end: _End) -> HostError:
    said = _look(end)
    for word, what, hint in _WORDS:
        if word in said:
            return HostError(f"{lead}its certificate {what} ({said})", hint)
    return HostError(
        f"{lead}its certificate is not of the authority in {end.authority}" + (f" ({said})" if said else ""),
        f"put the certificate of the authority that signed the host's into {end.authority}, if that is yours",
    )


def _look(end: _End) -> str:
    """OpenSSL's words for what is wrong with the certificate that is shown, empty when it finds nothing."""
    try:
        context = ssl.create_default_context(cafile=str(end.authority))
        with suppress(OSError):
            context.load_cert_chain(end.certificate, end.key)
        with socket.create_connection((end.host, end.port), _PATIENCE) as plain:
            context.wrap_socket(plain, server_hostname=end.host).close()
    except ssl.SSLCertVerificationError as error:
        return error.verify_message
    except OSError:
        return ""
    return ""


def _end(uri: str) -> _End:
    """Where libvirt looks: https://libvirt.org/remote.html."""
    parts = urlsplit(uri)
    own = Path("~/.pki/libvirt").expanduser()
    named = parse_qs(parts.query).get("pkipath", [""])[0]
    if not named and os.geteuid() and any((own / name).exists() for name in ("clientcert.pem", "clientkey.pem")):
        named = str(own)
    authority, folder = Path("/etc/pki/CA/cacert.pem"), Path("/etc/pki/libvirt")
    if named:
        folder = Path(named)
        authority = folder / "cacert.pem" if (folder / "cacert.pem").exists() or named != str(own) else authority
    key = folder / "clientkey.pem" if named else folder / "private" / "clientkey.pem"
    return _End(parts.hostname or "", parts.port or _PORT, authority, folder / "clientcert.pem", key)
