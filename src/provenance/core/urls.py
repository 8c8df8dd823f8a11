"""Addresses as they may be shown and recorded: without what lets anybody in."""

from __future__ import annotations

from provenance.core.redact import is_secret_name, without_credentials


def public(url: str) -> str:
    """Return an address without credentials, fragment and the parameters that sign it."""
    place, _, query = without_credentials(url).partition("#")[0].partition("?")
    words = [one for one in query.split("&") if one and not _signs(one.partition("=")[0].lower())]
    return place + ("?" + "&".join(words) if words else "")


def _signs(name: str) -> bool:
    if is_secret_name(name):
        return True
    return any(name == one or (one.endswith("-") and name.startswith(one)) for one in _SIGNING)


_SIGNING = (
    "x-amz-", "x-goog-", "awsaccesskeyid", "signature", "sig", "sv", "se", "sp", "sr", "st",
    "expires", "policy", "key-pair-id", "googleaccessid", "token", "access_token", "api_key",
    "apikey", "key", "auth", "x-xet-",
)  # fmt: skip
"""As in ``_prov_remote``, which cannot be imported here."""
