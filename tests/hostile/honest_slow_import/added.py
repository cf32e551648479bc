# Honest: Takes a second to be imported.

import time

time.sleep(1.0)
