"""What a worker is only inside a sandbox: the ready parent, and what watches and limits it."""
