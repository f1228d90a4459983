"""What we give every guest as vendor data: a cloud-config, to tell us how the boot goes over the link it came by, and a
script, to take vCPUs and memory into use as they come.

A person's user-data is merged over the cloud-config, so that whoever sets `phone_home` keeps theirs. The script is none
of what user-data can name, and so is not lost to it.
"""

from json import dumps

SERVICE = "http://169.254.169.254"
PHONE_HOME = "cloudsync/phone-home"
REPORT = "cloudsync/report"
GROWS = "cloudsync/grows"
"""The event by which a guest says that it takes vCPUs and memory into use as they come."""

# cloud-init waits for each answer, so both give up soon. Each event is one POST. `post: all` would ask for DSA keys
# too, which newer images do not have.
_CONFIG = {
    "phone_home": {
        "url": f"{SERVICE}/{PHONE_HOME}",
        "post": ["pub_key_rsa", "pub_key_ecdsa", "pub_key_ed25519", "instance_id", "hostname", "fqdn"],
        "tries": 5,
    },
    "reporting": {
        "cloudsync": {"type": "webhook", "endpoint": f"{SERVICE}/{REPORT}", "timeout": 5, "retries": 1},
    },
}

CLOUD_CONFIG = f"#cloud-config\n{dumps(_CONFIG, indent=1)}\n"
"""JSON is YAML; cloud-init goes by the first line."""

_SAYS = dumps({"name": GROWS, "event_type": "finish", "result": "SUCCESS"})

SCRIPT = f"""#!/bin/sh
# From cloudsync: Linux leaves vCPUs and memory that come to a running machine unused until somebody says otherwise.
rules=/etc/udev/rules.d
[ -d $rules ] && [ -e /sys/firmware/acpi/hotplug/memory ] || exit 0
cat >$rules/80-cloudsync-grow.rules <<'END' || exit 0
SUBSYSTEM=="cpu", ACTION=="add", TEST=="online", ATTR{{online}}=="0", ATTR{{online}}="1"
SUBSYSTEM=="memory", ACTION=="add", TEST=="state", ATTR{{state}}=="offline", ATTR{{state}}="online"
END
udevadm control --reload || exit 0
udevadm trigger --action=add --subsystem-match=cpu --subsystem-match=memory
python3 - <<'END'
from urllib.request import Request, urlopen
urlopen(Request("{SERVICE}/{REPORT}", b'{_SAYS}'), timeout=5)
END
exit 0
"""
"""Without a word from it the next bigger flavor is a restart: what it cannot do or say costs no more."""

_BETWEEN = "==cloudsync=="

VENDOR_DATA = f"""\
Content-Type: multipart/mixed; boundary="{_BETWEEN}"
MIME-Version: 1.0

--{_BETWEEN}
Content-Type: text/cloud-config

{CLOUD_CONFIG}
--{_BETWEEN}
Content-Type: text/x-shellscript

{SCRIPT}
--{_BETWEEN}--
"""
"""Both in one text, as every cloud-init takes them."""
