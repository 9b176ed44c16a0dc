"""Which attempts make an alert, how loud it is, and what staff make of it. Pure."""
