"""`make demo`: two guests on this machine, proved to work by doing, and `make demo-clean`, which takes it all back."""
