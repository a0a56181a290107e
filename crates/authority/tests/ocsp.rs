//! Answers about single certificates, judged by openssl.

mod support;

use authority::ocsp::{Refusal, Request, Responder, Status, delegate, request};
use authority::{AuthorityError, Issued, KeyType, PrivateKey, Role, keys};
use examiner::{Certificate, UnixTime};
use policy::issuance::{Profile, Reason};
use support::{NOW, World, openssl};

/// One DER element.
fn tlv(tag: u8, content: &[u8]) -> Vec<u8> {
    let length = content.len();
    let mut all = vec![tag];
    match length {
        0..=127 => all.push(length as u8),
        128..=255 => all.extend([0x81, length as u8]),
        _ => all.extend([0x82, (length >> 8) as u8, length as u8]),
    }
    all.extend(content);
    all
}

fn sequence(parts: &[&[u8]]) -> Vec<u8> {
    tlv(0x30, &parts.concat())
}

/// The certificate as SHA-1 names it in a request.
fn wanted(issuer: &Certificate, serial: &[u8]) -> Vec<u8> {
    let sha1 = |bytes: &[u8]| {
        aws_lc_rs::digest::digest(&aws_lc_rs::digest::SHA1_FOR_LEGACY_USE_ONLY, bytes).as_ref().to_vec()
    };
    let spki = spki::SubjectPublicKeyInfoRef::try_from(&*issuer.spki).unwrap();
    let key = spki.subject_public_key.raw_bytes();
    let algorithm = sequence(&[&[6, 5, 0x2b, 0x0e, 3, 2, 0x1a], &[5, 0]]);
    let (name, key) = (tlv(4, &sha1(&issuer.subject_der)), tlv(4, &sha1(key)));
    sequence(&[&sequence(&[&algorithm, &name, &key, &tlv(2, serial)])])
}

fn by_sha1(issuer: &Certificate, leaf: &Issued) -> request::Wanted {
    Request::read(&asking(&[wanted(issuer, &serial(leaf))], &[])).unwrap().wanted.remove(0)
}

fn asking(wanted: &[Vec<u8>], extensions: &[Vec<u8>]) -> Vec<u8> {
    let list = tlv(0x30, &wanted.concat());
    let extensions = match extensions {
        [] => Vec::new(),
        all => tlv(0xa2, &tlv(0x30, &all.concat())),
    };
    sequence(&[&sequence(&[&list, &extensions])])
}

fn extension(last_arc: u8, critical: bool, value: &[u8]) -> Vec<u8> {
    let oid = tlv(6, &[0x2b, 6, 1, 5, 5, 7, 0x30, 1, last_arc]);
    let critical: &[u8] = if critical { &[1, 1, 0xff] } else { &[] };
    sequence(&[&oid, critical, &tlv(4, value)])
}

fn nonce(length: usize) -> Vec<u8> {
    extension(2, false, &tlv(4, &vec![7; length]))
}

/// A key that this CA named at `now`, and the certificate that says so.
fn named(world: &World, role: Role, now: UnixTime) -> (PrivateKey, Certificate) {
    let key = delegate::new_key(world.hierarchy.certificate(role)).unwrap();
    let der = world.signer(role).delegate(&key.spki().unwrap(), now).unwrap();
    (key, Certificate::from_der(&der).unwrap())
}

fn responder(world: &World) -> Responder {
    let (key, certificate) = named(world, Role::Client, NOW);
    Responder::new(key, certificate, world.hierarchy.certificate(Role::Client).clone()).unwrap()
}

fn serial(issued: &Issued) -> Vec<u8> {
    Certificate::from_der(&issued.der).unwrap().serial.to_vec()
}

/// What openssl makes of an answer about the certificate in `leaf.pem`, at [`NOW`].
fn judged(world: &World, answer: &[u8], leaf: &Issued) -> String {
    world.write("answer.der", answer);
    world.write("leaf.pem", leaf.to_pem());
    let [answer, leaf, client, root] = [
        world.path("answer.der"),
        world.path("leaf.pem"),
        world.ca.join("client.pem"),
        world.ca.join("root.pem"),
    ]
    .map(|path| path.to_str().unwrap().to_owned());
    let at = NOW.seconds().to_string();
    openssl(&[
        "ocsp",
        "-respin",
        &answer,
        "-issuer",
        &client,
        "-cert",
        &leaf,
        "-CAfile",
        &root,
        "-verify_other",
        &client,
        "-attime",
        &at,
        "-no_nonce",
        "-validity_period",
        "2000000000",
        "-resp_text",
    ])
    .unwrap_or_else(|failed| failed)
}

#[test]
fn an_answer_says_of_each_certificate_what_is_on_record() {
    let world = World::new();
    let leaf = world.issue(Profile::Person, |_| {});
    let client = world.hierarchy.certificate(Role::Client);
    let responder = responder(&world);
    let asked = Request::read(&asking(&[wanted(client, &serial(&leaf))], &[])).unwrap();
    assert!(
        asked.wanted[0].is_of(client) && !asked.wanted[0].is_of(world.hierarchy.certificate(Role::Operator))
    );
    assert_eq!(asked.wanted[0].serial(), serial(&leaf));
    for (status, shown) in [
        (Status::Good, "leaf.pem: good"),
        (Status::Unknown, "leaf.pem: unknown"),
        (Status::Revoked { at: NOW.plus(-60), reason: Reason::KeyCompromise }, "Reason: keyCompromise"),
        (
            // openssl has no word for it: number 9 of RFC 5280 section 5.3.1.
            Status::Revoked { at: NOW.plus(-60), reason: Reason::PrivilegeWithdrawn },
            "Revocation Reason: (UNKNOWN) (0x9)",
        ),
        (
            Status::Revoked { at: NOW.plus(-60), reason: Reason::Unspecified },
            "Revocation Time: Jan 15 07:59:00 2027 GMT",
        ),
    ] {
        let answer = responder.answer(&asked, &[status], NOW).unwrap();
        let text = judged(&world, &answer, &leaf);
        assert!(text.contains("Response verify OK") && text.contains(shown), "{shown} in\n{text}");
        assert!(text.contains("This Update: Jan 15 08:00:00 2027 GMT"), "{text}");
        assert!(text.contains("Next Update: Jan 15 09:00:00 2027 GMT"), "{text}");
    }
}

#[test]
fn a_responders_certificate_is_for_answers_alone_and_for_a_day_and_nobody_need_ask_about_it() {
    let world = World::new();
    let (key, certificate) = named(&world, Role::Client, NOW);
    let path = world.write("responder.pem", support::pem(&certificate.der));
    let shown = openssl(&["x509", "-in", path.to_str().unwrap(), "-noout", "-text"]).unwrap();
    for expected in [
        "OCSP Signing",
        "OCSP No Check",
        "CA:FALSE",
        "Digital Signature",
        "OCSP responder of the client CA",
        "Not After : Jan 16 08:00:00 2027 GMT",
    ] {
        assert!(shown.contains(expected), "{expected} in\n{shown}");
    }
    assert!(!shown.contains("Client Authentication") && !shown.contains("CRL Sign"), "{shown}");

    let client = world.hierarchy.certificate(Role::Client);
    let responder = Responder::new(key, certificate, client.clone()).unwrap();
    let third = (delegate::LIFE_SECONDS + delegate::LEAD_SECONDS) / 3 - delegate::LEAD_SECONDS;
    assert!(!responder.is_due(NOW));
    assert!(!responder.is_due(NOW.plus(third - 1)));
    assert!(responder.is_due(NOW.plus(third)), "a third of its life is used");
    assert!(responder.is_due(UnixTime(0)), "the clock is behind it");
    let last = world.hierarchy.window(Role::Client).not_after;
    let (key, short) = named(&world, Role::Client, last.plus(-3600));
    let short = Responder::new(key, short, client.clone()).unwrap();
    assert_eq!(short.not_after(), last, "never longer than its CA");
}

#[test]
fn only_the_key_that_the_ca_itself_named_answers_for_it() {
    let world = World::new();
    let client = world.hierarchy.certificate(Role::Client);
    let operator = world.hierarchy.certificate(Role::Operator);
    let refused = |key: PrivateKey, certificate: Certificate, issuer: &Certificate| {
        let made = Responder::new(key, certificate, issuer.clone());
        matches!(made, Err(AuthorityError::NotDelegated))
    };
    let (key, certificate) = named(&world, Role::Client, NOW);
    assert!(refused(key, certificate.clone(), operator), "another CA's");
    let other = keys::generate(KeyType::EcdsaP256).unwrap();
    assert!(refused(other, certificate, client), "another key");
    let key = keys::generate(KeyType::EcdsaP256).unwrap();
    let plan = world.plan_for(Profile::Person, key.spki().unwrap(), |_| {});
    let leaf = world.signer(Role::Client).issue(&plan).unwrap();
    assert!(refused(key, Certificate::from_der(&leaf.der).unwrap(), client), "a party's certificate");
}

#[test]
fn no_weak_key_and_no_cas_own_is_named_for_answers() {
    let world = World::new();
    let signer = world.signer(Role::Client);
    for role in Role::ALL {
        let spki = &world.hierarchy.certificate(role).spki;
        let refused = signer.delegate(spki, NOW);
        assert!(matches!(&refused, Err(AuthorityError::KeyOfCa(whose)) if *whose == role), "{refused:?}");
    }
    let [key, path] = ["weak.key", "weak.der"].map(|name| world.path(name));
    let [key, file] = [&key, &path].map(|path| path.to_str().unwrap());
    openssl(&["genpkey", "-algorithm", "RSA", "-pkeyopt", "rsa_keygen_bits:1024", "-out", key]).unwrap();
    openssl(&["pkey", "-in", key, "-pubout", "-outform", "DER", "-out", file]).unwrap();
    for spki in [std::fs::read(&path).unwrap(), vec![0x30, 0], Vec::new()] {
        assert!(matches!(signer.delegate(&spki, NOW), Err(AuthorityError::NotDelegated)));
    }
}

#[test]
fn a_responders_key_is_of_its_cas_kind() {
    for kind in [KeyType::EcdsaP256, KeyType::EcdsaP384, KeyType::Ed25519, KeyType::Rsa3072] {
        let world = World::with(kind);
        let leaf = world.issue(Profile::Person, |_| {});
        let (key, certificate) = named(&world, Role::Client, NOW);
        assert_eq!(key.key_type(), kind);
        let client = world.hierarchy.certificate(Role::Client);
        let responder = Responder::new(key, certificate, client.clone()).unwrap();
        let asked = Request { wanted: vec![by_sha1(client, &leaf)], nonce: None };
        let text = judged(&world, &responder.answer(&asked, &[Status::Good], NOW).unwrap(), &leaf);
        assert!(text.contains("Response verify OK") && text.contains("leaf.pem: good"), "{kind:?}\n{text}");
    }
}

#[test]
fn a_nonce_of_one_to_128_octets_is_repeated_and_any_other_is_malformed() {
    let world = World::new();
    let client = world.hierarchy.certificate(Role::Client);
    let responder = responder(&world);
    let with = |extensions: &[Vec<u8>]| Request::read(&asking(&[wanted(client, &[1])], extensions));
    for length in [1, 16, 32, 128] {
        let asked = with(&[nonce(length)]).unwrap();
        assert_eq!(asked.nonce, Some(vec![7; length]));
        let answer = responder.answer(&asked, &[Status::Good], NOW).unwrap();
        let same = nonce(length);
        assert!(answer.windows(same.len()).any(|part| part == same), "{length}");
    }
    let none = responder.answer(&with(&[]).unwrap(), &[Status::Good], NOW).unwrap();
    let oid = [0x2b, 6, 1, 5, 5, 7, 0x30, 1, 2];
    assert!(!none.windows(oid.len()).any(|part| part == oid), "none is made up");
    for length in [0, 129, request::NONCE_MOST + 100] {
        assert!(with(&[nonce(length)]).is_err(), "{length}");
    }
    assert!(with(&[nonce(16), nonce(16)]).is_err(), "two of them");
    assert!(with(&[extension(2, false, &[7; 16])]).is_err(), "one that is no octet string");
}

#[test]
fn what_cannot_be_read_or_understood_is_malformed() {
    let world = World::new();
    let client = world.hierarchy.certificate(Role::Client);
    let one = || wanted(client, &[1]);
    let reads = |der: &[u8]| Request::read(der).is_ok();
    let whole = asking(&[one()], &[]);
    assert!(reads(&whole));
    assert!((0..whole.len()).all(|length| !reads(&whole[..length])), "cut short");
    assert!(!reads(&[&whole[..], &[0]].concat()), "more behind it");
    assert!(!reads(&asking(&[], &[])), "nothing is asked for");
    let many = |count| asking(&vec![one(); count], &[]);
    assert!(reads(&many(request::MOST_WANTED)) && !reads(&many(request::MOST_WANTED + 1)));
    assert!(
        reads(&asking(&[one()], &[extension(4, true, &[0x30, 0])])),
        "which kinds of answer it understands"
    );
    assert!(reads(&asking(&[one()], &[extension(9, false, &[5, 0])])), "what need not be understood");
    assert!(!reads(&asking(&[one()], &[extension(9, true, &[5, 0])])), "what must be");
}

#[test]
fn several_are_answered_in_their_order_and_a_refusal_has_a_status_alone() {
    let world = World::new();
    let client = world.hierarchy.certificate(Role::Client);
    let (good, bad) = (world.issue(Profile::Person, |_| {}), world.issue(Profile::Device, |_| {}));
    let asked = Request::read(&asking(
        &[wanted(client, &serial(&bad)), wanted(client, &serial(&good)), wanted(client, &[9])],
        &[],
    ))
    .unwrap();
    let revoked = Status::Revoked { at: NOW, reason: Reason::CertificateHold };
    let answer = responder(&world).answer(&asked, &[revoked, Status::Good, Status::Unknown], NOW).unwrap();
    let text = judged(&world, &answer, &good);
    assert!(text.contains("leaf.pem: good"), "{text}");
    let order: Vec<usize> = ["Cert Status: revoked", "Cert Status: good", "Cert Status: unknown"]
        .map(|status| text.find(status).unwrap_or_else(|| panic!("{status} in\n{text}")))
        .to_vec();
    assert!(order.is_sorted(), "{text}");
    assert!(judged(&world, &answer, &bad).contains("leaf.pem: revoked"));

    for (refusal, shown) in [
        (Refusal::MalformedRequest, "malformedrequest"),
        (Refusal::InternalError, "internalerror"),
        (Refusal::TryLater, "trylater"),
        (Refusal::Unauthorized, "unauthorized"),
    ] {
        let text = judged(&world, &refusal.to_der(), &good);
        assert!(text.contains(shown), "{shown} in\n{text}");
    }
}
