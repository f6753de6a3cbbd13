"""Orientation (routing recommendation) at three moments: lanes, rules, capacity, chance; pure functions."""

from service.orientation.context import DecisionContext
from service.orientation.decisions import Decisions
from service.orientation.policy import Policy
from service.orientation.policy_file import check_inputs, load_policy
from service.orientation.policy_sections import PolicyFault

__all__ = ["DecisionContext", "Decisions", "Policy", "PolicyFault", "check_inputs", "load_policy"]
