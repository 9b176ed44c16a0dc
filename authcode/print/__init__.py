"""Stage 2, print: writers that turn labels into PNG, SVG and PDF files."""
