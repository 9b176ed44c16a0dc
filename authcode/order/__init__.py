"""Orders: what is ordered, the book of orders, products, manifests and an order's folder."""
