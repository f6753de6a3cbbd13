"""What others tell of senders: watch lists, dossiers, reports. Read here, kept and activated by the service."""

from features.intelligence.reading import STATEMENTS, Listed, read_list
from features.intelligence.subjects import subjects_of

__all__ = ["STATEMENTS", "Listed", "read_list", "subjects_of"]
