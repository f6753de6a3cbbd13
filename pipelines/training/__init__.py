"""How does a model learn, and who promotes it?"""
