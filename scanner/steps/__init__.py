"""What is done to a picture that was not read as it is, one step a file."""
