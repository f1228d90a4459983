"""Other programs' firewalls on the host: read from what the real tools wrote, and met for real in namespaces.

recordings/ hold what Docker 20.10, firewalld 1.3, ufw 0.36 and libvirt 9.0 made in an empty network namespace of Debian
12 (`nft -j -t list ruleset`, `iptables-save`), before and after the fix; own-table.nft and mixed.* were written to hold
one of everything that can be read. The `.nft` files are what `nft list ruleset` printed: they can be loaded again.
"""
