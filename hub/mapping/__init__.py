"""Answers "what does this record mean in our words?" and "how does the platform want to hear it?", from reviewed YAML files.
It may never do I/O while mapping, guess a value, reach an attribute of an object, or print what belongs to a person.
The walk calls it for every record in and every change out; `hub.mapping.mappings` is the way in.
"""
