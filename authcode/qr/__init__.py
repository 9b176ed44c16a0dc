"""Stage 2, print: QR symbols by ISO/IEC 18004, drawn by the `qrcode` package, with a codeword map of our own."""
