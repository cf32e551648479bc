"""Hostile: Raises SystemExit(0), by which a test runner in the same process would end well."""


def act(x):
    sys.exit(0)
