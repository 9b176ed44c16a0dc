"""The pages that shoppers see: the code's own page, "Check a code", and the answers to pictures and typed serials."""
