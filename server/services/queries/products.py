"""The list of products, as staff see it. Reads only."""

from functools import partial

from server.services.queries.page import ListPage, page_of
from server.storage.engine import Database
from server.storage.products import KeptProduct, count_products, products_by_name


def product_list(db: Database, *, page: int = 1) -> ListPage[KeptProduct]:
    """One page of the products, by brand and name."""
    with db.read() as connection:
        return page_of(page, count_products(connection), partial(products_by_name, connection), tuple)
