"""Steps that prepare a picture which was not read as it is, one step a file."""
