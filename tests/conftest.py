"""What every test run does."""

from hypothesis import HealthCheck, settings

# Of each property. Every run tries others, and --hypothesis-profile=thorough tries many.
EXAMPLES, THOROUGH = 50, 2_000

# On a busy machine anything may take long; that makes no test fail.
patient = settings(
    deadline=None, suppress_health_check=[HealthCheck.too_slow], max_examples=EXAMPLES
)
settings.register_profile("patient", patient)
settings.register_profile("thorough", patient, max_examples=THOROUGH)
settings.load_profile("patient")
