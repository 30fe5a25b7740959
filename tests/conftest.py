"""For all tests: an example of Hypothesis never fails for how long it took, since the machine may be busy."""

from hypothesis import settings

settings.register_profile("untimed", deadline=None)
settings.load_profile("untimed")
