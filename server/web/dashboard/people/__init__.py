"""Staff's own pages: login, password, audit."""
