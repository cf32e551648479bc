"""Grading on push: a hook in a bare repository, a queue on disk, one service that grades.

The hook (`post-receive.sh`) records each push in a folder (`spool`) and prints the answer. The
service (`service`, `pipeline`) reads the commits (`pushed_commit`), runs the public suites
(`public`), and grades with the hidden ones (`hidden`), one push of a student after the other;
`ledger` is its database. Student code runs in the sandboxes of the service's pools, never in a
hook.
"""
