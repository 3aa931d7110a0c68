"""What holds for every test: properties are judged by what they find, never by how fast a busy machine makes examples."""

from __future__ import annotations

from hypothesis import HealthCheck, settings

settings.register_profile("house", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("house")
