"""The commands, one file each: parse, call, print. They never decide anything themselves.

A command that changes something writes a request to the store and watches it; the worker carries it out.
"""
