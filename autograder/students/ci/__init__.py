"""`autograder ci`: the public suites in the CI of a student's own repository.

It is part of the students' tree and uses nothing that students don't get. All output may quote the
student's code, so it is escaped: by `display`, then for workflow commands, Markdown, JSON or XML.
"""
