"""Text of ours and of strangers: made safe to show, Markdown, syntax trees, files written whole."""
