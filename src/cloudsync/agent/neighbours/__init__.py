"""Living with others on the host: which of their rules would stop what ours let through, and what ends that.

Nothing of theirs is ever changed here. Unlike the parts, this is asked and has nothing to apply.
"""
