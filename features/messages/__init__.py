"""Bytes in, frames and problems out; one file a format."""

from features.messages.read_message import Message, Problems, Refused, read

__all__ = ["Message", "Problems", "Refused", "read"]
