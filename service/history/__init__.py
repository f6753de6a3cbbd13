"""What happened before a moment, as the store keeps it?"""
