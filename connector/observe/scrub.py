"""The last safeguard: text that looks like a secret is masked under every key."""

import re

MASK = "[masked]"
LONGEST = 300

_PEM = re.compile(r"-----BEGIN [^-]*-----.*?(?:-----END [^-]*-----|\Z)", re.DOTALL)
_HEADER = re.compile(r"(?i)\b(authorization|cookie|webhook-signature)\b['\"]?\s*[:=]\s*[^\n]*")
_SCHEME = re.compile(r"(?i)\b(basic|bearer)\s+[A-Za-z0-9+/=._~-]{8,}")
_NAMED = re.compile(
    r"(?i)([a-z_-]*(?:pass(?:word|phrase|wd)?|secret|token|api[-_]?key|tenant[-_]?code))"
    r"['\"]?\s*[:=]\s*(?:\"[^\"]*\"|'[^']*'|[^\s,;&]+)"
)
_WEBHOOK_SECRET = re.compile(r"whsec_[A-Za-z0-9+/=_-]*")
_USERINFO = re.compile(r"(?<=://)[^/\s@]+@")
_RUN = re.compile(r"[A-Za-z0-9+/_-]{32,}={0,2}")
_HEXADECIMAL = re.compile(r"[0-9A-Fa-f-]{8,128}")


def scrub(text: str) -> str:
    """``text`` cut to 300 characters, with what looks like a secret masked.

    Masked are PEM blocks, credentials of ``Authorization``, cookies and signatures, values named
    password, secret, token or key, user information in addresses, and runs of 32 and more
    characters that are base64 or hexadecimal.
    """
    text = text.encode("utf-8", "replace").decode()
    text = _PEM.sub(MASK, text)
    text = _HEADER.sub(rf"\1: {MASK}", text)
    text = _SCHEME.sub(rf"\1 {MASK}", text)
    text = _NAMED.sub(rf"\1={MASK}", text)
    text = _WEBHOOK_SECRET.sub(MASK, text)
    text = _USERINFO.sub(f"{MASK}@", text)
    return _RUN.sub(_mask_run, text)[:LONGEST]


def is_identifier(text: str) -> bool:
    """Whether it is nothing but a hexadecimal id or fingerprint."""
    return _HEXADECIMAL.fullmatch(text) is not None


def _mask_run(match: re.Match[str]) -> str:
    """Random text has both cases, or is hexadecimal; paths and names are one case."""
    run = match[0]
    is_mixed = run != run.lower() and run != run.upper()
    return MASK if is_mixed or is_identifier(run.replace("_", "")) else run
