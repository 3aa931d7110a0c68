"""The contract suite: does this connector keep the promises that the hub builds on? Each rule gives a verdict with evidence.

It may never name a platform, nor need a network or a test framework. The tests and `samklang connector test` call it.
"""
