"""A small ``sh``, after busybox's ash: lexer and parser, expansion, interpreter, builtins.

A script is read line by line into commands (:mod:`~selfheal.programs.shell.parser`) and run by a
generator that gives up control wherever a real shell would wait
(:mod:`~selfheal.programs.shell.interpreter`).
"""
