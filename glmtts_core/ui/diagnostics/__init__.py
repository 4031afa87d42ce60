"""The diagnostics page, a module a tab."""
