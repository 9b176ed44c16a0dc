"""The foundation of all packages: the error tree, fields, instants, base 32, files, the home."""
