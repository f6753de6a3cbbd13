"""What do people do with a decision: work list, overrides, cases, proposals, what-if?"""
