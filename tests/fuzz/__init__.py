"""Damaged structure sets by the hundred thousand: ``python -m fuzz``. A few thousand are among the unit tests."""
