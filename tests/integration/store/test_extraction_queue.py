"""tests/unit/store/test_extraction_queue.py, on PostgreSQL."""

from unit.store.test_extraction_queue import *  # noqa: F403
