"""What a person should look at: it takes no point and gives none."""
