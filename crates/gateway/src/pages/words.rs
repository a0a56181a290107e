//! What is said about each reason, from one table a language, with the values that belong to it.

use examiner::UnixTime;
use policy::refusal::{NotAllowed, Place, Usage};
use policy::{Code, Why};

use super::{Lang, Shown};

/// What happened and what to do, in one language.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Words {
    /// A few words, no full stop.
    pub title: String,
    /// What happened, with its values.
    pub detail: String,
    /// What the visitor can do next.
    pub next: String,
}

/// The full reason with its values, whoever may read it.
pub fn text(lang: Lang, why: &Why) -> Words {
    let table = lang.table();
    let case = table.case(why.code());
    Words { title: case.title.to_owned(), detail: detail(table, why).plain(), next: case.next.to_owned() }
}

/// What a code means in general.
pub fn code_text(lang: Lang, code: Code) -> Words {
    let case = lang.table().case(code);
    Words { title: case.title.to_owned(), detail: case.about.to_owned(), next: case.next.to_owned() }
}

/// A key purpose by its name, with its identifier: the name is what people know, the identifier what they can search.
fn purpose(oid: &str) -> String {
    match examiner::cert::oid::key_purpose_name(oid) {
        name if name == oid => oid.to_owned(),
        name => format!("{name} ({oid})"),
    }
}

/// One code's words.
pub(super) struct Case {
    pub(super) title: &'static str,
    pub(super) about: &'static str,
    pub(super) next: &'static str,
}

macro_rules! table {
    (cases: $($case:ident)+; lines: $($line:ident)+;) => {
        /// One language, whole: a missing key does not compile.
        pub(super) struct Table {
            pub(super) tag: &'static str,
            $(pub(super) $case: Case,)+
            $(pub(super) $line: &'static str,)+
        }

        #[cfg(test)]
        impl Table {
            pub(super) fn all(&self) -> Vec<(String, &'static str)> {
                let mut all = Vec::new();
                $(
                    all.push((format!("{} title", stringify!($case)), self.$case.title));
                    all.push((format!("{} about", stringify!($case)), self.$case.about));
                    all.push((format!("{} next", stringify!($case)), self.$case.next));
                )+
                $(all.push((stringify!($line).to_owned(), self.$line));)+
                all
            }
        }
    };
}

table! {
    cases:
        no_certificate expired not_yet_valid unknown_issuer chain_incomplete bad_signature malformed weak_key
        chain_invalid wrong_usage revoked superseded revocation_unknown not_allowed suspended policy_stale
        possession_failed host_mismatch;
    lines:
        stranger_title stranger_detail stranger_next
        expired_on expired_issuer_on valid_from issuer_valid_from
        issuer_untrusted issuer_same_name same_key_pinned key_pinned_other_names
        intermediate_missing unreadable weak_found chain_breaks
        usage_none usage_others usage_no_signature usage_ca usage_issuer
        revoked_on superseded_on
        not_listed not_listed_party denied no_match no_single_name not_on_record other_audience
        suspended_since
        what_next browser browser_close browser_clear particulars
        label_reference label_code label_site label_subject label_issuer label_thumbprint label_not_after;
}

impl Table {
    pub(super) fn case(&self, code: Code) -> &Case {
        match code {
            Code::NoCertificate => &self.no_certificate,
            Code::Expired => &self.expired,
            Code::NotYetValid => &self.not_yet_valid,
            Code::UnknownIssuer => &self.unknown_issuer,
            Code::ChainIncomplete => &self.chain_incomplete,
            Code::BadSignature => &self.bad_signature,
            Code::Malformed => &self.malformed,
            Code::WeakKey => &self.weak_key,
            Code::ChainInvalid => &self.chain_invalid,
            Code::WrongUsage => &self.wrong_usage,
            Code::Revoked => &self.revoked,
            Code::Superseded => &self.superseded,
            Code::RevocationUnknown => &self.revocation_unknown,
            Code::NotAllowed => &self.not_allowed,
            Code::Suspended => &self.suspended,
            Code::PolicyStale => &self.policy_stale,
            Code::PossessionFailed => &self.possession_failed,
            Code::HostMismatch => &self.host_mismatch,
        }
    }
}

/// What one visitor is told.
pub(super) struct Told {
    pub(super) title: &'static str,
    pub(super) detail: Filled,
    pub(super) next: Filled,
}

pub(super) fn told(table: &'static Table, shown: &Shown<'_>) -> Told {
    let why = &shown.refusal.why;
    // These two say nothing about anybody: the code alone tells as much.
    let harmless = matches!(why, Why::NoCertificate | Why::HostMismatch);
    if shown.refusal.vouched || harmless {
        let case = table.case(why.code());
        return Told { title: case.title, detail: detail(table, why), next: Filled::of(case.next) };
    }
    Told {
        title: table.stranger_title,
        detail: Filled::of(table.stranger_detail),
        next: Filled::of(table.stranger_next).with("reference", shown.reference),
    }
}

pub(super) fn detail(table: &'static Table, why: &Why) -> Filled {
    let general = || Filled::of(table.case(why.code()).about);
    match why {
        Why::Expired { not_after, place } => Filled::of(match place {
            Place::EndEntity => table.expired_on,
            Place::Issuer => table.expired_issuer_on,
        })
        .with("date", &moment(*not_after)),
        Why::NotYetValid { not_before, place } => Filled::of(match place {
            Place::EndEntity => table.valid_from,
            Place::Issuer => table.issuer_valid_from,
        })
        .with("date", &moment(*not_before)),
        Why::UnknownIssuer { issuer, name_equals_ca, same_key_as_pin_of, key_pin_with_other_names } => {
            if let Some(party) = same_key_as_pin_of {
                Filled::of(table.same_key_pinned).with("party", party)
            } else if *key_pin_with_other_names {
                Filled::of(table.key_pinned_other_names)
            } else if let Some(ca) = name_equals_ca {
                Filled::of(table.issuer_same_name).with("issuer", issuer).with("ca", ca)
            } else {
                Filled::of(table.issuer_untrusted).with("issuer", issuer)
            }
        }
        Why::ChainIncomplete { missing } => Filled::of(table.intermediate_missing).with("missing", missing),
        Why::Malformed { what } => Filled::of(table.unreadable).with("what", what),
        Why::WeakKey { found } => Filled::of(table.weak_found).with("found", found),
        Why::ChainInvalid { what } => Filled::of(table.chain_breaks).with("what", what),
        Why::WrongUsage(usage) => match usage {
            Usage::NoKeyPurpose => Filled::of(table.usage_none),
            Usage::OtherKeyPurposes(purposes) => {
                let named: Vec<_> = purposes.iter().map(|oid| purpose(oid)).collect();
                Filled::of(table.usage_others).with("purposes", &named.join(", "))
            }
            Usage::NoDigitalSignature => Filled::of(table.usage_no_signature),
            Usage::CaCertificate => Filled::of(table.usage_ca),
            Usage::IssuerNotForClients => Filled::of(table.usage_issuer),
        },
        Why::Revoked { at, reason } => {
            Filled::of(table.revoked_on).with("date", &moment(*at)).with("reason", reason)
        }
        Why::Superseded { since } => Filled::of(table.superseded_on).with("date", &moment(*since)),
        Why::NotAllowed { party, because } => match (because, party) {
            (NotAllowed::NotListed, Some(party)) => Filled::of(table.not_listed_party).with("party", party),
            (NotAllowed::NotListed, None) => Filled::of(table.not_listed),
            (NotAllowed::Denied, _) => Filled::of(table.denied),
            (NotAllowed::NoMatch, _) => Filled::of(table.no_match),
            (NotAllowed::NoSingleName, _) => Filled::of(table.no_single_name),
            (NotAllowed::NotOnRecord, _) => Filled::of(table.not_on_record),
            (NotAllowed::OtherAudience, _) => Filled::of(table.other_audience),
        },
        Why::Suspended { party, since } => {
            Filled::of(table.suspended_since).with("party", party).with("date", &moment(*since))
        }
        Why::NoCertificate
        | Why::BadSignature
        | Why::RevocationUnknown
        | Why::PolicyStale
        | Why::PossessionFailed
        | Why::HostMismatch => general(),
    }
}

/// A sentence of a table with the values for its `{places}`.
pub(super) struct Filled {
    pub(super) template: &'static str,
    pub(super) values: Vec<(&'static str, String)>,
}

impl Filled {
    fn of(template: &'static str) -> Self {
        Self { template, values: Vec::new() }
    }

    fn with(mut self, name: &'static str, value: &str) -> Self {
        self.values.push((name, visible(value)));
        self
    }

    pub(super) fn plain(&self) -> String {
        self.render(str::to_owned, str::to_owned)
    }

    /// The words through `word`, the values through `value`. A value is never searched for places.
    pub(super) fn render(&self, word: impl Fn(&str) -> String, value: impl Fn(&str) -> String) -> String {
        let mut shown = String::new();
        let mut rest = self.template;
        while let Some((before, (name, after))) =
            rest.split_once('{').and_then(|(before, behind)| Some((before, behind.split_once('}')?)))
        {
            shown.push_str(&word(before));
            if let Some((_, found)) = self.values.iter().find(|(known, _)| *known == name) {
                shown.push_str(&value(found));
            }
            rest = after;
        }
        shown.push_str(&word(rest));
        shown
    }
}

/// A moment for people: `2027-03-15 12:00:00 UTC`.
pub(super) fn moment(time: UnixTime) -> String {
    time.to_string().replace('T', " ").replace('Z', " UTC")
}

/// Characters of a stranger's text that are shown; a name of 60 kB is no reason for an answer of 60 kB.
const SHOWN: usize = 1_000;

/// Controls and characters that hide or turn text, written out; what is too long is cut, and that it was is shown.
pub(super) fn visible(text: &str) -> String {
    let mut shown = String::with_capacity(text.len().min(SHOWN));
    let mut characters = text.chars();
    for c in characters.by_ref().take(SHOWN) {
        let hidden = c.is_control()
            || matches!(c, '\u{ad}' | '\u{61c}' | '\u{180e}' | '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}'
                | '\u{2060}'..='\u{206f}' | '\u{feff}' | '\u{fff9}'..='\u{fffb}' | '\u{e0000}'..='\u{e007f}');
        if hidden { shown.extend(c.escape_unicode()) } else { shown.push(c) }
    }
    if characters.next().is_some() {
        shown.push('…');
    }
    shown
}
