"""`python -m authcode`: the command line, where the script is not on the path."""

from authcode.cli import main

main()
