"""The code that runs in the process of student code: modules, requests, drivers, probes."""
