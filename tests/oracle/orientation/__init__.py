"""Orientation (routing recommendation) at three moments: lanes, rules, capacity, chance; pure functions."""

from tests.oracle.orientation.context import DecisionContext
from tests.oracle.orientation.decisions import Decisions
from tests.oracle.orientation.policy import Policy
from tests.oracle.orientation.policy_file import check_inputs, load_policy
from tests.oracle.orientation.policy_sections import PolicyFault

__all__ = ["DecisionContext", "Decisions", "Policy", "PolicyFault", "check_inputs", "load_policy"]
