"""`autograder ci`: the public suites in the CI of a student's own repository.

It is part of the students' tree and knows nothing that students don't get. Whatever it writes may
quote the student's code, and goes through what each form needs: `display` and then the escapes of
workflow commands, Markdown, JSON or XML.
"""
