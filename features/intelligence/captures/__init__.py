"""Captured pages of web shops and profiles, in every form that browsers and archives save; bytes in, statements out."""

from features.intelligence.captures.page_reader import read_captured
from features.intelligence.captures.pages import is_captured
from features.intelligence.wallets import is_wallet

__all__ = ["is_captured", "is_wallet", "read_captured"]
