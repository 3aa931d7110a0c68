"""A world around the hub: platforms in small on ports, people who buy and work, faults on request, and a judge.

It may never lend the hub its knowledge, and its judge may never use the hub's code. `samklang demo` and the tests call it.
"""
