//! The curves that certificates use (FIPS 186-4 appendix D.1.2), and whether a point is on one.

use num_bigint::BigUint;

/// A curve of NIST: y^2 = x^3 - 3x + b modulo p.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Curve {
    P256,
    P384,
    P521,
}

impl Curve {
    /// The curve of this object identifier (dotted text).
    pub(super) fn named(oid: &str) -> Option<Self> {
        match oid {
            "1.2.840.10045.3.1.7" => Some(Self::P256),
            "1.3.132.0.34" => Some(Self::P384),
            "1.3.132.0.35" => Some(Self::P521),
            _ => None,
        }
    }

    /// What people call it.
    pub(super) fn name(self) -> &'static str {
        match self {
            Self::P256 => "P-256",
            Self::P384 => "P-384",
            Self::P521 => "P-521",
        }
    }

    /// Octets of a coordinate.
    pub(super) fn octets(self) -> usize {
        match self {
            Self::P256 => 32,
            Self::P384 => 48,
            Self::P521 => 66,
        }
    }

    /// Whether the point with these coordinates is on the curve.
    pub(super) fn holds(self, x: &[u8], y: &[u8]) -> bool {
        let (p, b) = self.numbers();
        let (x, y) = (BigUint::from_bytes_be(x), BigUint::from_bytes_be(y));
        if x >= p || y >= p {
            return false;
        }
        // p - x stands for -x, so that nothing becomes negative.
        let right = &x * &x * &x + (&p - &x) * 3u8 + b;
        (&y * &y) % &p == right % &p
    }

    /// p and b.
    fn numbers(self) -> (BigUint, BigUint) {
        let (p, b) = match self {
            Self::P256 => (
                "ffffffff00000001000000000000000000000000ffffffffffffffffffffffff",
                "5ac635d8aa3a93e7b3ebbd55769886bc651d06b0cc53b0f63bce3c3e27d2604b",
            ),
            Self::P384 => (
                "fffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffeffffffff0000000000000000ffffffff",
                "b3312fa7e23ee7e4988e056be3f82d19181d9c6efe8141120314088f5013875ac656398d8a2ed19d2a85c8edd3ec2aef",
            ),
            Self::P521 => (
                "01ffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff",
                "0051953eb9618e1c9a1f929a21a0b68540eea2da725b99b315f3b8b489918ef109e156193951ec7e937b1652c0bd3bb1bf073573df883d2c34f1ef451fd46b503f00",
            ),
        };
        let number = |hex: &str| BigUint::parse_bytes(hex.as_bytes(), 16).unwrap_or_default();
        (number(p), number(b))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn constants_are_whole() {
        for curve in [Curve::P256, Curve::P384, Curve::P521] {
            let (p, b) = curve.numbers();
            assert!(p.bit(0) && b < p && b.bits() > p.bits() - 8, "{curve:?}");
        }
    }
}
