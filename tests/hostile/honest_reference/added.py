# Honest: Is the reference as it stands.

pass
