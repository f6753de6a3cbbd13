"""Bytes in, frames and problems out; one file a format."""
