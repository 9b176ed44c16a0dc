"""Stage 3, photo: the pages of a PDF file as pictures, since offices scan labels into one."""

from collections.abc import Iterator

import numpy as np
import numpy.typing as npt

from scanner.errors import PhotoUnreadable

MAX_PAGES = 4
"""Pages that are looked at: a label, its back, and a cover before them."""

PAGE_PX = 2400
"""Longest side of a page in pixels: 200 dots per inch of A4, at which a module of a quarter of a millimetre has two."""


def pages(data: bytes) -> Iterator[npt.NDArray[np.uint8]]:
    """The first pages as `uint8[h, w]`, each drawn when it is asked for.

    Raises:
        PhotoUnreadable: it is no PDF that can be opened, or one with a password.
    """
    import pypdfium2

    try:
        document = pypdfium2.PdfDocument(data)
        count = min(MAX_PAGES, len(document))
        for index in range(count):
            page = document[index]
            scale = PAGE_PX / max(page.get_size())
            drawn = page.render(scale=scale, grayscale=True).to_numpy()
            yield np.array(drawn.reshape(drawn.shape[:2]), dtype=np.uint8)  # a copy: the page owns its pixels
    except (pypdfium2.PdfiumError, ZeroDivisionError) as error:
        raise PhotoUnreadable("PDF") from error
