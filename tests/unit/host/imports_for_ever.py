"""A module that a worker imports for ever: what a busy machine makes of large ones."""

import time

time.sleep(120)
