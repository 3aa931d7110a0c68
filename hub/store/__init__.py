"""The only room that knows SQL: one contract with its engines, migrations, and one writing module per table.

It may never decide anything: it keeps what the stations hand in, in sets, inside transactions that are pure functions of
what they read. The walk, the push, the intake and the commands call it.
"""
