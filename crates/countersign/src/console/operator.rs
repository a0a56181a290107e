//! Who asks: as the gate decided, which alone can reach this process.

use gateway::identity::{PARTY, ROLE};
use http::{HeaderMap, HeaderName};
use policy::PartyName;
use policy::record::OperatorRole;
use registry::Actor;

/// An operator whom the gate admitted.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Operator {
    /// The name.
    pub name: PartyName,
    /// What they may do.
    pub role: OperatorRole,
}

impl Operator {
    /// As the gate tells it: each field once, or nobody.
    pub fn of(headers: &HeaderMap) -> Option<Self> {
        let only = |name: &HeaderName| {
            let mut all = headers.get_all(name).iter();
            let text = all.next()?.to_str().ok()?;
            all.next().is_none().then_some(text)
        };
        let role = only(&ROLE)?;
        Some(Self {
            name: PartyName::parse(only(&PARTY)?).ok()?,
            role: OperatorRole::ALL.into_iter().find(|one| one.word() == role)?,
        })
    }

    /// Whether they may do what wants this role.
    pub fn may(&self, wanted: OperatorRole) -> bool {
        self.role >= wanted
    }

    /// As the audit names them.
    pub fn actor(&self) -> Actor {
        Actor { name: format!("operator {}", self.name) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(fields: &[(&HeaderName, &str)]) -> Option<Operator> {
        let mut headers = HeaderMap::new();
        for (name, value) in fields {
            headers.append(*name, value.parse().unwrap());
        }
        Operator::of(&headers)
    }

    #[test]
    fn an_operator_is_named_once_with_one_role() {
        let ann = of(&[(&PARTY, "ann"), (&ROLE, "operator")]).unwrap();
        assert!(ann.may(OperatorRole::Viewer) && ann.may(OperatorRole::Operator));
        assert!(!ann.may(OperatorRole::Owner));
        for fields in [
            &[][..],
            &[(&PARTY, "ann")],
            &[(&ROLE, "owner")],
            &[(&PARTY, "ann"), (&ROLE, "root")],
            &[(&PARTY, "Ann!"), (&ROLE, "owner")],
            &[(&PARTY, "ann"), (&PARTY, "bob"), (&ROLE, "owner")],
            &[(&PARTY, "ann"), (&ROLE, "viewer"), (&ROLE, "owner")],
        ] {
            assert_eq!(of(fields), None, "{fields:?}");
        }
    }
}
