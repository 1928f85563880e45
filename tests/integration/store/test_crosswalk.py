"""tests/unit/store/test_crosswalk.py, on PostgreSQL."""

from unit.store.test_crosswalk import *  # noqa: F403
