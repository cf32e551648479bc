"""nbgrader's formgrader: what a class wrote, to be marked by a person; and the marks back."""
