"""Takes the patient out of DICOM files, after PS3.15, Annex E: bytes in, bytes out, nothing kept.

>>> deidentifier = Deidentifier(secret, Profile.named(["retain_longitudinal_dates_shifted", "clean_structure_names"]))
>>> deidentifier.deidentify(file)
"""

from .deidentifier import Deidentifier
from .holding import HeldBack, Hold
from .profile import RESEARCH, Option, Profile, UnknownOption

__all__ = ["RESEARCH", "Deidentifier", "HeldBack", "Hold", "Option", "Profile", "UnknownOption"]
