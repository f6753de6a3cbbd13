"""How do we learn, prove and run in bulk?"""
