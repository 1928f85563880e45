"""Copies of structure sets whose references hold, so that viewers show what the originals hide."""

from .model import Change, NothingToRepair, NotRepairable, RepairedCopy
from .repairing import REPAIR_VERSION, repair

__all__ = ["REPAIR_VERSION", "Change", "NotRepairable", "NothingToRepair", "RepairedCopy", "repair"]
