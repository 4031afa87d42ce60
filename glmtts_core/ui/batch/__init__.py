"""The batch page: input and check, runs, their lines."""
