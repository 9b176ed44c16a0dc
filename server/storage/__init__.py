"""All SQL of the server, and nothing but SQL: functions over a connection that the caller's transaction owns."""
