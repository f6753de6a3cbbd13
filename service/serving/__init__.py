"""The serving bundle: choice, verification, replacement and revocation."""
