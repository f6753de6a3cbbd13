"""What do we decide, why, and how is it recorded?"""
