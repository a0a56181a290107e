use super::*;

const NOW: UnixTime = UnixTime(1_800_000_000);
const ISSUER: Window = Window { not_before: UnixTime(1_799_000_000), not_after: UnixTime(1_900_000_000) };
const ALICE: &str = "0f2ab1c4-6d1e-4c52-9a93-7a40d4c7e0aa";

/// The SubjectPublicKeyInfo header of P-256 with some point; the point itself is not looked at here.
fn p256() -> Vec<u8> {
    let mut spki = vec![0x30, 0x59, 0x30, 0x13, 6, 7, 0x2a, 0x86, 0x48, 0xce, 0x3d, 2, 1];
    spki.extend([6, 8, 0x2a, 0x86, 0x48, 0xce, 0x3d, 3, 1, 7, 3, 0x42, 0, 4]);
    spki.extend([7; 64]);
    spki
}

/// An RSA SubjectPublicKeyInfo with a modulus of 1024 bits and exponent 65537.
fn rsa_1024() -> Vec<u8> {
    let mut spki =
        vec![0x30, 0x81, 0x9f, 0x30, 0x0d, 6, 9, 0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 1, 1, 1, 5, 0];
    spki.extend([3, 0x81, 0x8d, 0, 0x30, 0x81, 0x89, 2, 0x81, 0x81, 0]);
    spki.extend([0xd5; 128]);
    spki.extend([2, 3, 1, 0, 1]);
    spki
}

fn plan(profile: Profile) -> Plan {
    let mut plan = Plan::new(profile, "alice", ALICE, p256(), ISSUER, NOW);
    if profile == Profile::Server {
        plan.alt_names = vec![AltName::Dns("portal.test".into())];
    }
    plan
}

fn verdict(change: impl FnOnce(&mut Plan)) -> Result<CheckedPlan, IssueError> {
    let mut plan = plan(Profile::Person);
    change(&mut plan);
    check(plan, ISSUER, NOW)
}

fn server_verdict(name: AltName) -> Result<CheckedPlan, IssueError> {
    check(Plan { alt_names: vec![name], ..plan(Profile::Server) }, ISSUER, NOW)
}

fn person_verdict(name: AltName) -> Result<CheckedPlan, IssueError> {
    verdict(|plan| plan.alt_names = vec![name])
}

#[test]
fn a_plan_made_for_now_passes_for_every_profile() {
    for profile in Profile::ALL {
        let checked = check(plan(profile), ISSUER, NOW).unwrap();
        assert_eq!(checked.plan().not_after, NOW.plus(i64::from(profile.life_days()) * 86_400), "{profile}");
    }
}

#[test]
fn each_profile_has_its_life_and_not_a_second_more() {
    for (profile, days) in [
        (Profile::Person, 365),
        (Profile::Device, 90),
        (Profile::Service, 90),
        (Profile::Operator, 365),
        (Profile::Server, 90),
    ] {
        let most = NOW.plus(days * 86_400);
        let made = plan(profile);
        assert_eq!(made.not_after, most, "{profile}");
        let longer = check(Plan { not_after: most.plus(1), ..made }, ISSUER, NOW);
        assert!(matches!(longer, Err(IssueError::ValidityTooLong { .. })), "{profile}: {longer:?}");
    }
}

#[test]
fn a_certificate_begins_at_most_five_minutes_back() {
    assert!(verdict(|plan| plan.not_before = NOW.plus(-300)).is_ok());
    let refused = verdict(|plan| plan.not_before = NOW.plus(-301));
    assert_eq!(refused, Err(IssueError::Backdated { asked: NOW.plus(-301) }));
}

#[test]
fn a_certificate_lasts_no_longer_than_its_profile() {
    let year = NOW.plus(365 * 86_400);
    assert!(verdict(|plan| plan.not_after = year).is_ok());
    let refused = verdict(|plan| plan.not_after = year.plus(1)).unwrap_err();
    assert_eq!(refused, IssueError::ValidityTooLong { asked: 366, most: 365, profile: "person".into() });
    assert_eq!(refused.remedy(), "Ask for 365 days or fewer.");
}

#[test]
fn a_certificate_never_outlives_its_issuer() {
    let issuer = Window { not_after: NOW.plus(1000), ..ISSUER };
    let made = Plan::new(Profile::Device, "alice", ALICE, p256(), issuer, NOW);
    assert_eq!(made.not_after, issuer.not_after);
    assert!(check(made.clone(), issuer, NOW).is_ok());
    let beyond = Plan { not_after: NOW.plus(1001), ..made };
    assert!(matches!(check(beyond, issuer, NOW), Err(IssueError::OutlivesIssuer { .. })));
}

#[test]
fn a_certificate_does_not_begin_before_its_issuer() {
    let issuer = Window { not_before: NOW, ..ISSUER };
    let made = Plan::new(Profile::Device, "alice", ALICE, p256(), issuer, NOW);
    assert!(check(made.clone(), issuer, NOW).is_ok());
    let before = Plan { not_before: NOW.plus(-1), ..made };
    assert!(matches!(check(before, issuer, NOW), Err(IssueError::OutlivesIssuer { .. })));
}

#[test]
fn a_certificate_that_is_over_is_refused() {
    assert!(verdict(|plan| plan.not_after = NOW.plus(1)).is_ok());
    assert!(matches!(verdict(|plan| plan.not_after = NOW), Err(IssueError::AlreadyOver { .. })));
}

#[test]
fn a_weak_key_is_refused_with_its_size() {
    let refused = verdict(|plan| plan.spki = rsa_1024());
    assert_eq!(refused, Err(IssueError::WeakKey { what: "RSA 1024 bit".into() }));
    assert_eq!(verdict(|plan| plan.spki = vec![1, 2, 3]), Err(IssueError::UnreadableKey));
}

#[test]
fn names_that_people_read_hold_nothing_hidden() {
    for name in ["Alice Jansen", "Zoë", "acme-svc_1", "株式会社"] {
        assert!(verdict(|plan| plan.common_name = name.into()).is_ok(), "{name}");
    }
    for name in ["", "a\0b", "a\nb", "a\u{202e}b", "a\u{200b}", " a", &"x".repeat(65)] {
        assert!(verdict(|plan| plan.common_name = name.into()).is_err(), "{name:?}");
    }
    assert!(verdict(|plan| plan.party = "a\u{1b}[2J".into()).is_err());
}

#[test]
fn a_party_is_named_by_a_uuid() {
    for uuid in ["", "alice", &ALICE.to_uppercase(), &ALICE.replace('-', "")] {
        assert!(verdict(|plan| plan.party_uuid = uuid.into()).is_err(), "{uuid}");
    }
}

#[test]
fn nobody_is_given_the_name_of_another_party() {
    assert!(person_verdict(AltName::Uri("spiffe://lab/alice".into())).is_ok());
    for uri in ["urn:uuid:0f2ab1c4-6d1e-4c52-9a93-7a40d4c7e0ab", "URN:UUID:x", "alice", "a b:c", "http:"] {
        assert!(person_verdict(AltName::Uri(uri.into())).is_err(), "{uri}");
    }
}

#[test]
fn servers_are_named_by_hosts_and_addresses_only() {
    for host in ["portal.test", "*.portal.test", "localhost", "xn--bcher-kva.test"] {
        assert!(server_verdict(AltName::Dns(host.into())).is_ok(), "{host}");
    }
    for host in
        ["", "*", "*.test", "a.*.test", "Portal.test", "a..b", "-a.test", "a b", "1.2.3.4", "a\0.test"]
    {
        assert!(server_verdict(AltName::Dns(host.into())).is_err(), "{host:?}");
    }
    assert!(server_verdict(AltName::Ip([127, 0, 0, 1].into())).is_ok());
    assert!(server_verdict(AltName::Email("a@portal.test".into())).is_err());
    assert!(server_verdict(AltName::Uri("https://portal.test".into())).is_err());
    let nameless = Plan { alt_names: vec![], ..plan(Profile::Server) };
    assert_eq!(check(nameless, ISSUER, NOW), Err(IssueError::NoServerName));
}

#[test]
fn clients_are_named_by_mail_uri_and_host() {
    assert!(person_verdict(AltName::Email("alice@example.test".into())).is_ok());
    assert!(person_verdict(AltName::Dns("laptop.example.test".into())).is_ok());
    for address in ["alice", "@example.test", "a@b@c", "a b@c.test", "zoë@c.test", "a@"] {
        assert!(person_verdict(AltName::Email(address.into())).is_err(), "{address}");
    }
    assert!(person_verdict(AltName::Dns("*.example.test".into())).is_err());
    assert!(person_verdict(AltName::Ip([127, 0, 0, 1].into())).is_err());
}

#[test]
fn a_list_address_is_a_web_address() {
    assert!(verdict(|plan| plan.crl_url = Some("http://portal.test/own.crl".into())).is_ok());
    for url in ["", "ldap://x", "http://", "http://a b", "file:///etc/passwd"] {
        assert!(verdict(|plan| plan.crl_url = Some(url.into())).is_err(), "{url}");
    }
}

#[test]
fn words_are_read_back_as_shown() {
    for reason in Reason::ALL {
        assert_eq!(reason.to_string().parse(), Ok(reason));
    }
    for profile in Profile::ALL {
        assert_eq!(profile.to_string().parse(), Ok(profile));
    }
    assert!("key_compromise".parse::<Reason>().is_err());
    assert!("root".parse::<Profile>().is_err());
}
