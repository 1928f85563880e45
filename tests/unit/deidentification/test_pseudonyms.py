"""The same original has the same stand-in under the same secret, and nobody guesses it without."""

from __future__ import annotations

from datetime import timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pydicom.uid import UID

from deidentification import Deidentifier, Option, Profile
from deidentification.pseudonyms import LONGEST_SHIFT_DAYS, Pseudonyms

SECRET = b"a secret of a test"
PSEUDONYMS = Pseudonyms(SECRET)

uids = st.lists(st.integers(1, 10**9), min_size=2, max_size=6).map(lambda parts: ".".join(map(str, [1, *parts])))
patient_ids = st.text(st.characters(exclude_categories=["Cs", "Cc"]), min_size=1, max_size=64)


@settings(deadline=None)
@given(uids)
def test_a_uid_has_one_valid_stand_in(original: str) -> None:
    stand_in = PSEUDONYMS.uid(original)
    assert UID(stand_in).is_valid
    assert stand_in == Pseudonyms(SECRET).uid(original) == PSEUDONYMS.uid(f"{original}\0") != original


def test_another_secret_gives_other_stand_ins() -> None:
    other = Pseudonyms(b"another secret of a test")
    assert other.uid("1.2.3") != PSEUDONYMS.uid("1.2.3")
    assert other.patient("123456") != PSEUDONYMS.patient("123456")


@settings(deadline=None)
@given(patient_ids)
def test_dates_move_into_the_past_by_whole_days_and_never_stay(patient_id: str) -> None:
    shift = PSEUDONYMS.shift(patient_id)
    assert timedelta(days=-LONGEST_SHIFT_DAYS) <= shift <= timedelta(days=-1)
    assert shift == Pseudonyms(SECRET).shift(f" {patient_id} ")


@settings(deadline=None)
@given(st.sets(patient_ids.map(str.strip), min_size=2, max_size=50))
def test_patients_stay_apart(several: set[str]) -> None:
    assert len({PSEUDONYMS.patient(patient_id) for patient_id in several}) == len(several)


@pytest.mark.parametrize("uid", ["1.2.840.10008.1.2.1", "1.2.840.10008.5.1.4.1.1.2", "1.2.840.10008.1.4.1.1", ""])
def test_uids_of_the_standard_stay(uid: str) -> None:
    assert PSEUDONYMS.uid(uid) == uid


def test_a_short_secret_is_refused_with_the_remedy() -> None:
    with pytest.raises(ValueError, match="PACS_DEIDENTIFICATION_SECRET"):
        Deidentifier(b"short", Profile())


def test_uids_stay_where_the_profile_retains_them() -> None:
    assert Deidentifier(SECRET, Profile(frozenset({Option.RETAIN_UIDS}))).uid("1.2.3") == "1.2.3"
