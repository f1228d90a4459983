"""What must hold between the parts of a spec. Each check takes the draft and yields what is wrong; `load` runs all."""
