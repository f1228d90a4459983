"""The check-up of a host, what `doctor` shows of it, and what it runs when told to."""
