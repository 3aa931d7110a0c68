"""What a seed has found, told as a small story: hub and platforms alone, quick enough to be told each time.

Each names the seed with which `samklang simulate --faults hostile` came upon it.
"""

from __future__ import annotations

from pathlib import Path

from merchant import AARHUS, merchant

from hub.sdk.wire import NoAnswerError


def test_a_return_that_was_read_in_the_books_before_its_answer_came_is_that_return(tmp_path: Path) -> None:
    """Seeds 1 and 5: its copy in the books was taken for goods that came back of it, more than were ever bought, and it stuck."""
    shop = merchant(tmp_path, {"TEE": (5, 10)})
    made: set[str] = set()

    def lose(where: str) -> None:
        new = set(shop.erp.orders_shown()) - made
        made.update(new)
        if new:
            raise NoAnswerError("the answer to the call that made a sale is lost")

    shop.erp.seam = lose
    for _ in range(20):
        # Lost at ever another moment between two readings of the books.
        shop.till.take_back("TEE", 1, AARHUS)
        shop.run(63)
    shop.run(600)
    assert len(made) == 20
    assert [sale["total_minor"] for sale in shop.sales()] == [-19995] * 20
    assert (shop.at_till("TEE"), shop.shops("TEE")) == (25, (35, 35))
    assert shop.quiet()
