"""tests/unit/store/test_structures.py, on PostgreSQL."""

from unit.store.test_structures import *  # noqa: F403
