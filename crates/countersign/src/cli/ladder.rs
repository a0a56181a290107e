//! A decision as the five steps of two-way TLS, with the one that failed marked.
//!
//! The decision stops at its first refusal. What it had not looked at by then is marked as open, never as passed.

use policy::refusal::NotAllowed;
use policy::{Code, Decision, Refusal, Why};
use serde_json::{Value, json};

/// How one step or check came out.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Mark {
    Passed,
    Failed,
    NotReached,
    NotNeeded,
}

impl Mark {
    fn word(self) -> &'static str {
        match self {
            Self::Passed => "passed",
            Self::Failed => "failed",
            Self::NotReached => "not-reached",
            Self::NotNeeded => "not-needed",
        }
    }

    fn sign(self) -> &'static str {
        match self {
            Self::Passed => "ok  ",
            Self::Failed => "FAIL",
            Self::NotReached | Self::NotNeeded => "-   ",
        }
    }
}

/// The points that a decision passes, in its own order.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Point {
    Ask,
    Send,
    Revocation,
    Key,
    Issuer,
    /// Suspended and denied parties are turned away before dates and usage are looked at.
    Exclusion,
    Dates,
    Usage,
    Access,
}

/// What the server verifies, in the order it is told.
const CHECKS: [(Point, &str, &str); 5] = [
    (Point::Dates, "dates", "within its dates"),
    (Point::Issuer, "issuer", "issued by a CA of this site, or saved here"),
    (Point::Usage, "usage", "meant for logging in"),
    (Point::Key, "key", "its key is strong enough; that it is held is proved in the handshake"),
    (Point::Revocation, "not-revoked", "not revoked, not replaced"),
];

/// The ladder of one decision.
pub struct Ladder {
    steps: Vec<(Mark, &'static str, String)>,
    checks: Vec<(Mark, &'static str, &'static str)>,
}

impl Ladder {
    /// The steps of this decision; `subject` is that of the certificate, where one was shown.
    pub fn of(decision: &Decision, site: &str, path: &str, subject: Option<&str>) -> Self {
        let refusal = match decision {
            Decision::Refuse(refusal) | Decision::Observe(refusal) => Some(refusal),
            Decision::Admit(_) | Decision::Open => None,
        };
        let open = *decision == Decision::Open;
        let mark = |point| match refusal {
            None if open => Mark::NotNeeded,
            None => Mark::Passed,
            Some(refusal) => self::mark(refusal, point),
        };
        let checks: Vec<_> = CHECKS.map(|(point, name, text)| (mark(point), name, text)).into();
        let any = |wanted| checks.iter().any(|(found, ..)| *found == wanted);
        let verified = if any(Mark::Failed) {
            Mark::Failed
        } else if any(Mark::NotReached) {
            Mark::NotReached
        } else {
            mark(Point::Usage)
        };
        let access = match refusal.map(|refusal| point(&refusal.why)) {
            _ if open => Mark::Passed,
            Some(Point::Exclusion) => Mark::Failed,
            _ => mark(Point::Access),
        };
        let asked = if open { Mark::Passed } else { mark(Point::Ask) };
        let sent = subject.map_or_else(String::new, |subject| format!(": {subject}"));
        let steps = vec![
            (asked, "ask", format!("the client asks for https://{site}{path}")),
            (asked_back(asked), "show", "the server shows its certificate and asks for one".into()),
            (mark(Point::Send), "send", format!("the client sends its certificate{sent}")),
            (verified, "verify", "the server verifies it".into()),
            (access, "access", "the visitor gets access".into()),
        ];
        Self { steps, checks }
    }

    /// As lines of text.
    pub fn text(&self) -> String {
        let mut text = String::new();
        for (i, (mark, name, told)) in self.steps.iter().enumerate() {
            text += &format!("{} {}. {told}\n", mark.sign(), i + 1);
            let checks = self.checks.iter().filter(|_| *name == "verify");
            for (mark, name, told) in checks {
                text += &format!("        {} {name}: {told}\n", mark.sign());
            }
        }
        text
    }

    /// Each step: its mark in a word, its name, and what happens there.
    pub fn steps(&self) -> impl Iterator<Item = (&'static str, &'static str, &str)> {
        self.steps.iter().map(|(mark, name, told)| (mark.word(), *name, told.as_str()))
    }

    /// What the server verifies in its step, in the same form.
    pub fn checks(&self) -> impl Iterator<Item = (&'static str, &'static str, &'static str)> {
        self.checks.iter().map(|(mark, name, told)| (mark.word(), *name, *told))
    }

    /// As JSON.
    pub fn value(&self) -> Value {
        let checks: Vec<Value> =
            self.checks.iter().map(|(mark, name, _)| json!({ "name": name, "state": mark.word() })).collect();
        let steps = self.steps.iter().map(|(mark, name, _)| {
            let mut step = json!({ "name": name, "state": mark.word() });
            if *name == "verify" {
                step["checks"] = json!(checks);
            }
            step
        });
        steps.collect()
    }
}

fn asked_back(asked: Mark) -> Mark {
    if asked == Mark::Failed { Mark::NotReached } else { asked }
}

fn mark(refusal: &Refusal, at: Point) -> Mark {
    let failed = point(&refusal.why);
    if at == failed {
        Mark::Failed
    } else if matches!(refusal.why, Why::Malformed { .. }) && at > Point::Send {
        // Nothing could be read off it.
        Mark::NotReached
    } else if at > failed || (at == Point::Issuer && !refusal.vouched) {
        Mark::NotReached
    } else {
        Mark::Passed
    }
}

/// Where a decision with this reason ends.
fn point(why: &Why) -> Point {
    if let Why::NotAllowed { because: NotAllowed::Denied, .. } = why {
        return Point::Exclusion;
    }
    match why.code() {
        Code::HostMismatch => Point::Ask,
        Code::NoCertificate => Point::Send,
        Code::Revoked | Code::Superseded | Code::RevocationUnknown => Point::Revocation,
        Code::WeakKey | Code::PossessionFailed => Point::Key,
        Code::UnknownIssuer
        | Code::ChainIncomplete
        | Code::BadSignature
        | Code::Malformed
        | Code::ChainInvalid => Point::Issuer,
        Code::Suspended | Code::PolicyStale => Point::Exclusion,
        Code::Expired | Code::NotYetValid => Point::Dates,
        Code::WrongUsage => Point::Usage,
        Code::NotAllowed => Point::Access,
    }
}
