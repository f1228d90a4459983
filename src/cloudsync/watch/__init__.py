"""Keep a cloud as its spec says: look again whenever somebody saves, asks, or time is up. The CLI's `watch` runs it."""
