"""tests/unit/store/test_deliveries.py, on PostgreSQL."""

from unit.store.test_deliveries import *  # noqa: F403
