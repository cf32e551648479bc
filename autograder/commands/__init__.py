"""The command line, thin: a module for each group of commands reads options and calls the work.

Modules are imported inside the commands, so that a command loads only what it needs.
"""
