"""Whom do the checks burden, and which operators are worth an audit?"""
