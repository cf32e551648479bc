"""The programs inside a sandbox: the ready parent, its limits, and the observation of code."""
