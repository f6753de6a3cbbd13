"""Intelligence on senders: watch lists, dossiers, reports. Read here, stored and activated by the service."""

from features.intelligence.deliveries import Delivery, delivery_of
from features.intelligence.ftm_writer import Tie, as_ftm
from features.intelligence.list_reader import read_list
from features.intelligence.statements import STATEMENTS, Listed
from features.intelligence.subjects import payments_between, subjects_of, ties_of

__all__ = [
    "STATEMENTS",
    "Delivery",
    "Listed",
    "Tie",
    "as_ftm",
    "delivery_of",
    "payments_between",
    "read_list",
    "subjects_of",
    "ties_of",
]
