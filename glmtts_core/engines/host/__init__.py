"""Where engines run: in this process (`inline`), or each in a process of its own (`process`)."""
