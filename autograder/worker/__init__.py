"""What runs in the process of the student's code: modules, requests, drivers, probes."""
