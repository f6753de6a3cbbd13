"""Access control: people by session, machines by key, roles by route and office; denied unless allowed."""

from features.choices import Role
from service.access.directory import Access, open_access
from service.access.principal import OPEN, Principal

__all__ = ["OPEN", "Access", "Principal", "Role", "open_access"]
