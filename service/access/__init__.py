"""Who may do what: people by session, machines by key, roles by route and office; what nobody is allowed is denied."""

from features.words import Role
from service.access.access import Access, open_access
from service.access.principal import OPEN, Principal

__all__ = ["OPEN", "Access", "Principal", "Role", "open_access"]
