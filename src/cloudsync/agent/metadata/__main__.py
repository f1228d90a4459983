"""`python -m cloudsync.agent.metadata`: started by supervisor.py, not by people."""

import sys

from cloudsync.agent.metadata.worker import main

sys.exit(main(sys.argv[1:]))
