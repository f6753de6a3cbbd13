"""What to do with a consignment at three moments: lanes, rules, capacity, chance; pure functions of what is known."""

from service.orientation.decisions import Decisions
from service.orientation.loading import check_inputs, load_policy
from service.orientation.moment import Moment
from service.orientation.policy import Policy
from service.orientation.sections import PolicyFault

__all__ = ["Decisions", "Moment", "Policy", "PolicyFault", "check_inputs", "load_policy"]
