"""The nouns. Frozen, typed, standard library only; everything else imports from here."""
