"""Gives each change a key of its own, as whoever makes changes does: with the key of another it is refused."""

import uuid

import schemathesis

KEY = "Idempotency-Key"


@schemathesis.hook
def before_call(context, case, kwargs):
    """Replaces a key that is one; what is tried with none, or with too long a one, stays."""
    if 1 <= len(str((case.headers or {}).get(KEY, ""))) <= 255:
        case.headers[KEY] = uuid.uuid4().hex
