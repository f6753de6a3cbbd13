"""Does the record hold, can a decision be replayed, and what may be erased?"""
