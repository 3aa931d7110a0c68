"""The only room of the hub that knows SQL: one contract with its engines, migrations, and one writing module per table.

The simulator's judges read its rows by SQL of their own, so that no query of this room vouches for itself.

It may never decide anything: it keeps what the stations hand in, in sets, inside transactions that are pure functions of
what they read. The walk, the push, the intake and the commands call it.
"""
