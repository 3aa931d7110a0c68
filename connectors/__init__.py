"""One folder per platform. A connector sees only `hub.sdk`, and no other connector; `template` is where a new one begins."""
