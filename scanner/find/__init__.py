"""Where symbols are in a picture, and how they are laid flat."""
