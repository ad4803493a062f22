"""What every test run does."""

import signal

# A shell lets what it runs in the background ignore Ctrl-C, and .ci/test passes it on.
if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
    signal.signal(signal.SIGINT, signal.default_int_handler)
