"""The trusted end of the channel to a worker: requests go in, and only values come back.

The other end is `worker`, mounted into the sandbox with `wire`, the format that both ends share.
"""
