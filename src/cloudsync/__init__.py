"""cloudsync: one YAML file in Git, reconciled with real libvirt hosts."""

__version__ = "0.1.0"
