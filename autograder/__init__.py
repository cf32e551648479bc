"""The autograder of Neural Network Foundations."""

__version__ = "0.1.0"
