"""A server asked over the network: by a print station with a token, which owns no database."""
