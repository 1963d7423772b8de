"""Objects to JSON documents and back, safely."""
