//! Plans become certificates and lists; the only sight of the private keys.
