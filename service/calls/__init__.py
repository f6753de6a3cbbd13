"""How are calls taken in turn, versioned and decided again?"""
