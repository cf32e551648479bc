"""The examiner's end of the channel to a worker: requests are sent, only values come back.

The other end is `worker`, mounted into the sandbox with `wire`, the format that both ends share.
"""
