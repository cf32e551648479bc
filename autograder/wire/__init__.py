"""The wire format that both sides of a sandbox share. It imports nothing else of ours."""
