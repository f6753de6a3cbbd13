"""What others tell of senders: watch lists, dossiers, reports. Read here, kept and activated by the service."""

from features.intelligence.reading import STATEMENTS, Listed, read_list
from features.intelligence.subjects import subjects_of, ties_of
from features.intelligence.writing import Tie, as_ftm

__all__ = ["STATEMENTS", "Listed", "Tie", "as_ftm", "read_list", "subjects_of", "ties_of"]
