//! How the audit says the changes from which it can be told who could enter at another time: what one side writes, the other
//! reads by the same words.

/// Such a change.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Said<'a> {
    /// A party was put on record.
    PartyAdded,
    /// A party was removed, with its grants, pins, keys and subjects.
    PartyRemoved,
    /// A party was suspended.
    Suspended,
    /// A suspension ended.
    Resumed,
    /// A site was granted to a party.
    Granted,
    /// Such a grant was taken back.
    Ungranted,
    /// A site was granted to everyone from this CA.
    GrantedToCa(&'a str),
    /// Such a grant was taken back.
    UngrantedFromCa(&'a str),
    /// This CA was removed, with its grants.
    CaRemoved(&'a str),
    /// A certificate of this label was put on record.
    CertificateAdded(&'a str),
    /// The certificate of this label was revoked, for this reason.
    CertificateRevoked(&'a str, &'a str),
    /// The certificate of this label was released from hold.
    CertificateReleased(&'a str),
    /// Several certificates were released from hold, by a rule.
    ManyReleased,
    /// The key of this label was pinned; the pin.
    KeyPinned(&'a str, &'a str),
    /// The key of this label was revoked, for this reason; the pin.
    KeyRevoked(&'a str, &'a str, &'a str),
    /// The key of this label was released from hold.
    KeyReleased(&'a str),
    /// A subject of a CA leads to the party.
    SubjectAdded(&'a str, &'a str),
    /// It does so no longer.
    SubjectRemoved(&'a str, &'a str),
}

const PLAIN: [(&str, Said<'static>); 6] = [
    ("party added", Said::PartyAdded),
    ("party removed", Said::PartyRemoved),
    ("party suspended", Said::Suspended),
    ("party resumed", Said::Resumed),
    ("site granted", Said::Granted),
    ("grant taken back", Said::Ungranted),
];

impl std::fmt::Display for Said<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::GrantedToCa(ca) => write!(f, "site granted to CA `{ca}`"),
            Self::UngrantedFromCa(ca) => write!(f, "grant to CA `{ca}` taken back"),
            Self::CaRemoved(ca) => write!(f, "CA `{ca}` removed"),
            Self::CertificateAdded(label) => write!(f, "certificate `{label}` added"),
            Self::CertificateRevoked(label, reason) => {
                write!(f, "certificate `{label}` revoked for {reason}")
            }
            Self::CertificateReleased(label) => write!(f, "certificate `{label}` released from hold"),
            Self::ManyReleased => f.write_str("certificate(s) released from hold"),
            Self::KeyPinned(label, pin) => write!(f, "key `{label}` pinned, {pin}"),
            Self::KeyRevoked(label, reason, pin) => write!(f, "key `{label}` revoked for {reason}, {pin}"),
            Self::KeyReleased(label) => write!(f, "key `{label}` released from hold"),
            Self::SubjectAdded(subject, ca) => write!(f, "subject `{subject}` of CA `{ca}` added"),
            Self::SubjectRemoved(subject, ca) => write!(f, "subject `{subject}` of CA `{ca}` removed"),
            plain => {
                let text = PLAIN.iter().find(|(_, said)| said == plain).map_or("", |(text, _)| *text);
                f.write_str(text)
            }
        }
    }
}

impl<'a> Said<'a> {
    /// What an entry's detail says, with who did it behind it; `None` where it says something else.
    ///
    /// Labels and subjects are what somebody chose. What stands before and after them is looked at from both ends, so that
    /// none can say something else than what was done.
    pub(crate) fn read(detail: &'a str) -> Option<Self> {
        let (what, _by) = detail.rsplit_once("; by ")?;
        if let Some((_, said)) = PLAIN.iter().find(|(text, _)| *text == what) {
            return Some(*said);
        }
        // A certificate that was fetched comes on record in the same entry.
        let what = match what.split_once(": certificate `") {
            Some((how, _)) if how.starts_with("invite ") || how.starts_with("ACME order ") => {
                &what[how.len() + 2..]
            }
            _ => what,
        };
        let within = |before: &str, after: &str| what.strip_prefix(before)?.strip_suffix(after);
        if let Some(rest) = what.strip_prefix("certificate `") {
            return match rest.rsplit_once("` ")? {
                (label, "added") => Some(Self::CertificateAdded(label)),
                (label, "released from hold") => Some(Self::CertificateReleased(label)),
                (label, more) => Some(Self::CertificateRevoked(label, more.strip_prefix("revoked for ")?)),
            };
        }
        if let Some(rest) = what.strip_prefix("key `") {
            let (label, more) = rest.rsplit_once("` ")?;
            if let Some(pin) = more.strip_prefix("pinned, ") {
                return Some(Self::KeyPinned(label, pin));
            }
            if more == "released from hold" {
                return Some(Self::KeyReleased(label));
            }
            let (reason, pin) = more.strip_prefix("revoked for ")?.split_once(", ")?;
            return Some(Self::KeyRevoked(label, reason, pin));
        }
        if let Some(rest) = what.strip_prefix("subject `") {
            let (rest, added) = match rest.strip_suffix("` added") {
                Some(rest) => (rest, true),
                None => (rest.strip_suffix("` removed")?, false),
            };
            let (subject, ca) = rest.rsplit_once("` of CA `")?;
            return Some(if added {
                Self::SubjectAdded(subject, ca)
            } else {
                Self::SubjectRemoved(subject, ca)
            });
        }
        if let Some(ca) = within("site granted to CA `", "`") {
            return Some(Self::GrantedToCa(ca));
        }
        if let Some(ca) = within("grant to CA `", "` taken back") {
            return Some(Self::UngrantedFromCa(ca));
        }
        if let Some(ca) = within("CA `", "` removed") {
            return Some(Self::CaRemoved(ca));
        }
        let (count, rest) = what.split_once(' ')?;
        let is_many = count.parse::<u64>().is_ok() && rest.starts_with("certificate(s) released from hold: ");
        is_many.then_some(Self::ManyReleased)
    }
}

#[cfg(test)]
mod tests {
    use super::Said;

    #[test]
    fn what_is_written_is_read_whatever_was_chosen_for_a_label() {
        for said in [
            Said::PartyAdded,
            Said::PartyRemoved,
            Said::Suspended,
            Said::Resumed,
            Said::Granted,
            Said::Ungranted,
            Said::GrantedToCa("acme"),
            Said::UngrantedFromCa("acme"),
            Said::CaRemoved("acme"),
            Said::CertificateAdded("laptop"),
            Said::CertificateAdded("a` revoked for x; by b"),
            Said::CertificateRevoked("a` added", "key-compromise"),
            Said::CertificateReleased("x"),
            Said::KeyPinned("` pinned, ", "00ff"),
            Said::KeyRevoked("k", "certificate-hold", "00ff"),
            Said::KeyReleased("` x"),
            Said::SubjectAdded("CN=`a` of CA `b` added", "acme"),
            Said::SubjectRemoved("CN=a", "acme"),
        ] {
            assert_eq!(Said::read(&format!("{said}; by root")), Some(said));
        }
        let many = "3 certificate(s) released from hold: profile=device; by root";
        assert_eq!(Said::read(many), Some(Said::ManyReleased));
        for how in ["invite 7f3k redeemed", "ACME order 12 fulfilled"] {
            let detail = format!("{how}: {}; by authority", Said::CertificateAdded("a: b"));
            assert_eq!(Said::read(&detail), Some(Said::CertificateAdded("a: b")));
        }
        for other in
            ["party added", "key `a` used; by root", "site set; by root", "; by root", "party adde; by x"]
        {
            assert_eq!(Said::read(other), None, "{other}");
        }
    }
}
