"""No test of the store runs on SQLite alone."""

from pathlib import Path

import pytest

from store.database import Database

HERE = Path(__file__).parent
UNIT = HERE.parents[1] / "unit" / "store"


@pytest.mark.parametrize("name", sorted(path.name for path in UNIT.glob("test_*.py")))
def test_every_module_of_the_stores_tests_is_repeated_here(name: str) -> None:
    assert (HERE / name).exists(), f"add {HERE / name} with: from unit.store.{Path(name).stem} import *"


def test_the_database_here_is_postgresql(database: Database) -> None:
    assert database.dialect == "postgresql"
