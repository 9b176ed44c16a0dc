"""What everything builds on: the error tree, fields, instants, base 32, files, the home."""
