"""Whose a host is: its document names the cloud that has it. Every driver asks when it observes."""

from cloudsync.model.document import HostDocument


def foreign(document: HostDocument | None, cloud: str, host: str) -> str:
    """Why `cloud` may not use the host as `host`; empty when it may."""
    if document is None or document.released or (document.cloud, document.host) == (cloud, host):
        return ""
    if document.cloud == cloud:
        return f"it is host.{document.host} of this cloud: a host keeps its name; give it that again in the spec"
    return (
        f"it belongs to cloud {document.cloud}, which has {len(document.instances)} instance(s) here; "
        f"run `cloudsync destroy` of {document.cloud} first, or take this host out of the spec"
    )
