"""Runs the examples of one docstring, and prints what differs; its classes are registered in no other process."""

import doctest
import inspect
import sys
from importlib import import_module

module, name = sys.argv[1:]
text = inspect.getdoc(getattr(import_module(module), name)) or ""
test = doctest.DocTestParser().get_doctest(text, {"__name__": "examples_of_docstrings"}, name, None, 0)
doctest.DocTestRunner(optionflags=doctest.ELLIPSIS).run(test)
