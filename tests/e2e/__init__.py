"""A booted Debian guest with stock cloud-init, by the command line alone."""
