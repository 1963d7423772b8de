"""Where this library tells operators what happens to jobs; nothing is printed unless an application asks.

What is told of is rare, and logging slow to import: it is loaded with the first that is told, or with a store.
"""

import logging

logger = logging.getLogger("routilux")
logger.addHandler(logging.NullHandler())
