"""Browser sessions: their handle, their ids, and what is kept for each."""
