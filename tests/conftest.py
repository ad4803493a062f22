"""What every test run does."""

from hypothesis import HealthCheck, settings

# On a busy machine anything may take long; that makes no test fail.
settings.register_profile("patient", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("patient")
