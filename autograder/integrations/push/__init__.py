"""Grading on push: a hook in a bare repository, a queue on disk, one service that grades.

The hook (`post-receive.sh`) writes down what was pushed and shows what is answered. The service
takes what has arrived (`spool`), reads the commits (`take`), runs the public suites (`public`), and
grades with the hidden ones (`hidden`), one push of a student after the other; `ledger` is its
memory. Student code runs in the sandboxes of the service's pools, never in a hook.
"""
