"""Intake: submissions read from class folders, archives and LMS exports, within limits."""
