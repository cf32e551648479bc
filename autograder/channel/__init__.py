"""The value channel: student code is asked for values, and only values come back.

The worker's half (codec, dispatch, drivers, modules, probes, student_tests, worker) is mounted into
the sandbox as a package of its own: it imports numpy, msgpack and itself, nothing else of ours.
"""
