"""Is this host fit to run instances, and why not: what `doctor` asks the agent. Looks, changes nothing."""
