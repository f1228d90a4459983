"""The house rules that a machine can check: sizes, names, words, and documents that say what is so."""
