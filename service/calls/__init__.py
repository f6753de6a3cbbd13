"""How are calls batched, versioned and decided again?"""
