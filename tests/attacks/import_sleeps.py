"""Sleeps for ever while it is imported"""
# honest:

import time

time.sleep(10**6)
