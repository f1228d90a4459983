"""Whether libvirt here has what it takes to send and take a running machine by TLS. state.py asks.

The folder is the one that libvirt's own qemu.conf names, or else its defaults.
"""

import re
from pathlib import Path

_CONFIG = Path("/etc/libvirt/qemu.conf")
_OWN, _COMMON = Path("/etc/pki/libvirt-migrate"), Path("/etc/pki/qemu")
_NEEDED = ("ca-cert.pem", "server-cert.pem", "server-key.pem", "client-cert.pem", "client-key.pem")
"""Both ends show theirs: libvirt asks for the other's unless it is told not to."""


def for_migration(config: Path = _CONFIG) -> bool:
    folder = _folder(config)
    return all((folder / name).is_file() for name in _NEEDED)


def _folder(config: Path) -> Path:
    try:
        text = config.read_text(errors="replace")
    except OSError:
        text = ""
    # Nearly all of that file is comments, which a pattern would be tried against letter by letter.
    few = "\n".join(line for line in text.splitlines() if "_tls_x509_cert_dir" in line)
    own, common = _said(few, "migrate_tls_x509_cert_dir"), _said(few, "default_tls_x509_cert_dir")
    if own is None and _OWN.is_dir():
        return _OWN
    return own or common or _COMMON


def _said(text: str, key: str) -> Path | None:
    found = re.search(rf'^[ \t]*{key}[ \t]*=[ \t]*"([^"\n]+)"', text, re.MULTILINE)
    return Path(found[1]) if found else None
