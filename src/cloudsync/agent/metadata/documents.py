"""A HostDocument into the Records of the instances on this host, by uuid. Pure; called by service.py."""

from base64 import b64decode
from binascii import Error as NotBase64
from collections.abc import Mapping
from hashlib import sha256
from uuid import NAMESPACE_DNS, uuid5

from cloudsync.agent.memo import Memo
from cloudsync.agent.metadata.record import Interface, Record
from cloudsync.model.document import Entry, HostDocument
from cloudsync.model.problem import HostError
from cloudsync.model.resources import Digest, Instance, Nic


def records(document: HostDocument, passwords: Mapping[str, bytes], memo: Memo | None = None) -> dict[str, Record]:
    """By uuid. `passwords` are what guests have posted. Raise HostError when an address has two owners.

    An instance that the directory puts on this host, but that is not described, is known and incomplete.
    `memo` is of the documents before.
    """
    kept = memo or Memo()
    shared = (document.cloud, document.keypairs, document.networks, document.user_data)
    found = {}
    for instance in document.instances.values():
        password = passwords.get(instance.uuid, b"")
        found[instance.uuid] = kept.of((instance, password, *shared), _record, instance, document, password)
    for entry in kept.each((document.host,), _here, document.directory, document.host).values():
        if entry.uuid not in found:
            found[entry.uuid] = Record(uuid=entry.uuid, addresses=entry.addresses, complete=False)
    _each_address_once(found)
    return found


def _here(_name: str, entry: Entry, host: str) -> Entry | None:
    return entry if entry.host == host else None


def _each_address_once(found: Mapping[str, Record]) -> None:
    owners: dict[str, str] = {}
    for record in found.values():
        for address in record.addresses:
            other = owners.setdefault(address, record.uuid)
            if other != record.uuid:
                raise HostError(
                    f"address {address} belongs to two instances, {other} and {record.uuid}",
                    "one of them would get the other's keys and user-data: plan again",
                )


def _record(instance: Instance, document: HostDocument, password: bytes) -> Record:
    keys = tuple((name, document.keypairs[name].public_key) for name in instance.keypairs if name in document.keypairs)
    user_data = _user_data(instance.name, instance.user_data, document.user_data)
    networks_known = all(nic.network in document.networks for nic in instance.nics)
    resolved = len(keys) == len(instance.keypairs) and (user_data is None) == (instance.user_data is None)
    return Record(
        uuid=instance.uuid,
        addresses=tuple(nic.address for nic in instance.nics),
        floating=next(iter(instance.floating), ""),
        complete=resolved and networks_known,
        name=instance.name,
        hostname=_hostname(instance, document),
        project=document.cloud,
        flavor=instance.flavor,
        image=instance.image[:8],
        launch_index=instance.launch_index,
        zone=instance.availability_zone or None,
        groups=instance.groups,
        keys=keys,
        meta=instance.metadata,
        interfaces=tuple(_interface(nic, document) for nic in instance.nics if networks_known),
        user_data=user_data,
        password=password,
    )


def _user_data(name: str, digest: Digest | None, blobs: Mapping[str, str]) -> bytes | None:
    """None when there is none, or when it has not come yet."""
    if digest is None or digest.sha256 not in blobs:
        return None
    try:
        data = b64decode(blobs[digest.sha256], validate=True)
    except NotBase64:
        data = b""
    if sha256(data).hexdigest() != digest.sha256:
        raise HostError(f"instance {name}: its user-data is not what its digest says", "plan and apply again")
    return data


def _hostname(instance: Instance, document: HostDocument) -> str:
    """Fully qualified by the first network's domain: the name under which the resolver knows it."""
    network = document.networks.get(instance.nics[0].network) if instance.nics else None
    return f"{instance.name}.{network.domain}" if network and network.domain else instance.name


def _interface(nic: Nic, document: HostDocument) -> Interface:
    return Interface(
        tap=nic.tap,
        mac=nic.mac,
        address=nic.address,
        gateway=document.networks[nic.network].gateway,
        port_id=_identifier(document.cloud, "port", nic.tap),
        network_id=_identifier(document.cloud, "network", nic.network),
        mtu=nic.mtu,
    )


def _identifier(*parts: str) -> str:
    """The same words, the same UUID."""
    return str(uuid5(NAMESPACE_DNS, "/".join(parts)))
