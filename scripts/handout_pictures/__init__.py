"""The pictures of the handouts, drawn: a module for each week, and what they draw with."""
