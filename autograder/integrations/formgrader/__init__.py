"""nbgrader's formgrader: notebooks shown to a person who marks them, and the marks taken over."""
