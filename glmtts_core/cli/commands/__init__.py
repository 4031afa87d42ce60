"""The commands, declared: a module each, which imports their work when it is called."""
