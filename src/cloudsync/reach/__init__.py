"""May X reach Y: the one meaning of security groups, asked in memory. The compiled firewall enforces the same.

`scene` is what is asked, made by `wanted` (a spec) or `recorded` (host documents). Pure.
"""
