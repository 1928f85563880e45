"""tests/unit/store/test_studies.py, on PostgreSQL."""

from unit.store.test_studies import *  # noqa: F403
