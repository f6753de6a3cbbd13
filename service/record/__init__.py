"""How is a decision written down, and what vouches for it?"""
