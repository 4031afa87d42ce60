"""Measurements that a user can take on their own machine, and what may be concluded from them."""
