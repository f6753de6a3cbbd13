"""What to do with a consignment at three moments: lanes, rules, capacity, chance; pure functions of what is known."""

from service.orientation.decisions import Decisions
from service.orientation.policy import Moment, Policy, PolicyFault, load_policy

__all__ = ["Decisions", "Moment", "Policy", "PolicyFault", "load_policy"]
