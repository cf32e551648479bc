"""What both sides of a sandbox speak: codec, limits, operators. It imports nothing else of ours."""
