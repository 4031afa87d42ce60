"""The one host of the process: engines, worker, jobs, memory monitor."""
