"""What a print shop has at hand."""

from tests.authcode.shop import logo_file, shop

__all__ = ["logo_file", "shop"]
