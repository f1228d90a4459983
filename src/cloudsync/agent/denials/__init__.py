"""What groups with `log_denied` denied: read from the kernel's log, kept in memory, told to `logs --denied`."""
