"""From untrusted bytes to one upright picture of bounded size."""
