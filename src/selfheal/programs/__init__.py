"""What runs inside containers: a small Linux and the programs on it.

- :mod:`~selfheal.programs.kernel`, :mod:`~selfheal.programs.process`,
  :mod:`~selfheal.programs.filesystem`, :mod:`~selfheal.programs.streams`: processes and files;
- :mod:`~selfheal.programs.images`: which image brings which programs;
- :mod:`~selfheal.programs.shell` and :mod:`~selfheal.programs.applets`: busybox;
- one module for each other program.
"""
