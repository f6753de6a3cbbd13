"""Webhooks: what came to count is sent, signed and in order, to the systems of others."""
