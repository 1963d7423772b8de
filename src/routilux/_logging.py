"""Where this library tells operators what happens to stored jobs; nothing is printed unless an application asks."""

import logging

logger = logging.getLogger("routilux")
logger.addHandler(logging.NullHandler())
