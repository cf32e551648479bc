"""A simulated class: plausible submissions with known mistakes planted."""
