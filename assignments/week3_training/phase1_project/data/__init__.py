"""The images: loading, normalising, augmenting."""
