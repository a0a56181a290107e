//! Proof of possession: left out, out of order, forged.

use rustls::SignatureScheme;
use rustls::version::{TLS12, TLS13};
use testkit::Portal;

use crate::forger::{Outcome, Place, Proof, forge, key_of};
use crate::support::{assert_alive, binary};

/// alice's certificate shown by somebody who lies, under each version and at each kind of site.
fn lies(tell: &[(Place, Proof)], judge: impl Fn(&Outcome, &str)) {
    for how in ["page", "handshake"] {
        let mut portal = Portal::build(&binary()).on_refuse(how).party("alice").start();
        let chain = portal.sandbox.read("alice.pem");
        for version in [&TLS13, &TLS12] {
            let ask = |place, proof| forge(&portal, &chain, key_of(&portal, "alice"), version, place, proof);
            let before = portal.echo.count();
            for (place, proof) in tell {
                if *place == Place::Last && version.version == TLS12.version {
                    continue;
                }
                let what = format!("{how}, {:?}, {place:?}, {proof:?}", version.version);
                let outcome = ask(*place, *proof);
                assert_eq!(outcome.said, "", "{what}");
                judge(&outcome, &what);
                assert_eq!(portal.echo.count(), before, "{what}: it reached the upstream");
            }
            let honest = ask(Place::Right, Proof::Real);
            assert!(honest.said.starts_with("HTTP/1.1 200"), "{how}: {honest:?}");
            assert_eq!(portal.echo.count(), before + 1);
        }
        assert_alive(&mut portal);
    }
}

#[test]
fn a_proof_left_out_or_out_of_order_ends_the_handshake() {
    let places = [Place::Missing, Place::First, Place::Last];
    lies(&places.map(|place| (place, Proof::Real)), |outcome, what| {
        assert_eq!(outcome.alert, Some(10), "{what}: unexpected_message, not {outcome:?}");
    });
}

/// r = s = 0, as a DER SEQUENCE of two INTEGERs.
const ZEROS: &[u8] = &[0x30, 6, 2, 1, 0, 2, 1, 0];

#[test]
fn a_forged_proof_or_one_under_another_algorithm_ends_the_handshake() {
    use SignatureScheme as S;
    let all = [
        Proof::Bytes(S::ECDSA_NISTP256_SHA256, ZEROS),
        Proof::Bytes(S::ECDSA_NISTP256_SHA256, b""),
        Proof::Bytes(S::ED25519, &[0; 64]),
        Proof::Bytes(S::RSA_PSS_SHA256, &[0; 256]),
        Proof::Bytes(S::RSA_PKCS1_SHA256, &[0; 256]),
        Proof::Named(S::ECDSA_NISTP384_SHA384),
        Proof::Named(S::RSA_PSS_SHA256),
        Proof::Named(S::ECDSA_SHA1_Legacy),
        Proof::Named(S::Unknown(0x0840)),
    ];
    lies(&all.map(|proof| (Place::Right, proof)), |outcome, what| {
        assert!(matches!(outcome.alert, Some(47 | 51)), "{what}: {outcome:?}");
    });
}
