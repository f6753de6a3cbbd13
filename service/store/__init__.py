"""What is a transaction, and how is it made durable?"""
