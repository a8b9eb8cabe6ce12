"""Large blocks of memory come in huge pages, where the system grants them.

By itself glibc takes new small pages for every large block, and returns them when it is freed: at each batch
again, a part of the seconds of a training on a CPU that is measured in system time.
"""

import os

ASKED = "THP_MEM_ALLOC_ENABLE"
"""Read by torch at its first large block; Linux grants huge pages to those that ask, unless told not to."""


def ask_for_huge_pages() -> None:
    """Asks for them, unless the user has said otherwise; before torch takes its first large block."""
    os.environ.setdefault(ASKED, "1")
