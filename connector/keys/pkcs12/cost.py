"""Limits for foreign bundles: known algorithms only, and a maximum number of rounds.

The number of rounds is chosen by the writer of the file; a hostile one makes opening it take
hours. The names are asn1crypto's for the identifiers of RFC 7292 appendix C and RFC 8018
appendix A.
"""

from asn1crypto.algos import EncryptionAlgorithm

from connector.core.errors import Permanent

ITERATIONS_LIMIT = 1_000_000
"""Rounds per derivation: up to 1.2 s of one core. Files in the wild have 1 to 600,000.

A file that asks for it in many places runs into the process' limit of processor time (KEY-210).
"""

_PKCS12_SCHEMES = {
    "pkcs12_sha1_tripledes_3key",
    "pkcs12_sha1_tripledes_2key",
    "pkcs12_sha1_rc2_128",
    "pkcs12_sha1_rc2_40",
}
_CIPHERS = {"aes128_cbc", "aes192_cbc", "aes256_cbc", "tripledes_3key"}
_DIGESTS = {"sha1", "sha224", "sha256", "sha384", "sha512"}


def check_encryption(algorithm: EncryptionAlgorithm) -> None:
    """Accept a password-based encryption of a known kind and bounded cost.

    Raises:
        Permanent: ``P12-010`` for another kind, ``P12-006`` for too many rounds.
    """
    name = algorithm["algorithm"].native
    parameters = algorithm["parameters"]
    if name in _PKCS12_SCHEMES:
        bounded_iterations(parameters["iterations"].native)
        return
    if name != "pbes2":
        raise _unsupported()
    derivation = parameters["key_derivation_func"]
    cipher = parameters["encryption_scheme"]["algorithm"].native
    if derivation["algorithm"].native != "pbkdf2" or cipher not in _CIPHERS:
        raise _unsupported()
    if derivation["parameters"]["prf"]["algorithm"].native not in _DIGESTS:
        raise _unsupported()
    bounded_iterations(derivation["parameters"]["iteration_count"].native)


def check_mac_digest(name: str) -> None:
    """Accept a digest that RFC 7292 MACs use in practice.

    Raises:
        Permanent: ``P12-010`` for another one.
    """
    if name not in _DIGESTS:
        raise _unsupported()


def bounded_iterations(count: int) -> None:
    """Accept a number of rounds that can be afforded.

    Raises:
        Permanent: ``P12-006`` when it is below 1 or too large.
    """
    if not 1 <= count <= ITERATIONS_LIMIT:
        raise Permanent("P12-006", "checking bundle: asks for too many rounds of key derivation")


def _unsupported() -> Permanent:
    return Permanent("P12-010", "checking bundle: protected in a way that is not supported")
