"""The verifier for machines that have only Python: small modules, and `single_file`, which puts them into one file."""
