"""Text: made safe to show, Markdown, syntax trees of Python, files written atomically."""
