"""Problem documents (RFC 9457): how every error leaves the service, and the one catalogue of their kinds."""

from service.problems.answers import Problem, field_problem, problem

__all__ = ["Problem", "field_problem", "problem"]
