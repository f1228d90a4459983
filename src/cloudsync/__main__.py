"""`python -m cloudsync` is the same as the `cloudsync` command."""

from cloudsync.cli.main import main

main()
