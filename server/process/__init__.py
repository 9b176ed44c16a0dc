"""The server as processes of the operating system: listener, workers, their restarts."""
