"""Template: a small shop system with a plain REST interface, complete and made up; copy it to begin a connector."""
