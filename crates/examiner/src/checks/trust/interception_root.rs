//! No certificate of the chain belongs to what reads others' connections: a proxy, a virus scanner, planted software.
//!
//! Products are known by the names that they give their CAs; lists name certificates.

use super::prelude::*;
use super::shared_roots::facts;
use crate::side::RootFact;

pub static CHECK: Check = Check {
    id: "interception-root",
    severity: Severities::all(Error),
    clause: "practice (root stores distrust CAs that intercept)",
    expected: "the chain of the host itself",
    remedy: "Look from a network without the proxy, or take the product's root out of the trust store where nobody wants it.",
    affected: "whoever trusts that CA: what it intercepts, it can read and change",
    in_force: None,
    consequence_of: &["certificate-unreadable"],
    run: Run::Chain(run),
};

/// Parts of the names that products give to the CAs with which they intercept, in lower case.
const PRODUCTS: &[(&str, &str)] = &[
    ("superfish", "Superfish"),
    ("edellroot", "eDellRoot"),
    ("dsdtestprovider", "Dell System Detect"),
    ("avast! web/mail shield", "Avast"),
    ("avg web/mail shield", "AVG"),
    ("kaspersky anti-virus personal root", "Kaspersky"),
    ("eset ssl filter ca", "ESET"),
    ("bitdefender personal ca", "Bitdefender"),
    ("fortigate ca", "FortiGate"),
    ("fortinet_ca_ssl", "FortiGate"),
    ("zscaler", "Zscaler"),
    ("netskope", "Netskope"),
    ("cisco umbrella", "Cisco Umbrella"),
    ("sophos ssl ca", "Sophos"),
    ("blue coat", "Blue Coat"),
    ("do_not_trust_fiddlerroot", "Fiddler"),
    ("charles proxy", "Charles Proxy"),
    ("mitmproxy", "mitmproxy"),
    ("portswigger ca", "Burp Suite"),
    ("owasp zed attack proxy", "ZAP"),
];

fn run(chain: &Chain, _: &Context<'_>) -> Outcome {
    let listed = chain.examined().find_map(|one| {
        let who = facts(chain, one).find_map(|fact| match fact {
            RootFact::Interception(who) => Some(who),
            _ => None,
        })?;
        let observed = format!("this certificate is {}'s, which intercepts", crate::report::shown(who));
        Some(Found::new(one, one.place(), observed))
    });
    if let Some(found) = listed {
        return found.into();
    }
    // Among trust anchors that sign nothing here a product's root does no harm to this chain.
    let not_anchors = chain.served.len() + chain.beside.len();
    for one in chain.examined().filter(|one| one.index < not_anchors) {
        let fields = one.fields();
        let names = [
            (&one.issuer, one.place_of(fields.issuer, "tbsCertificate.issuer")),
            (&one.subject, one.place_of(fields.subject, "tbsCertificate.subject")),
        ];
        for (name, place) in names {
            let Some(name) = name else { continue };
            let texts = || name.attributes().filter_map(|one| one.text()).map(|text| text.to_lowercase());
            let product = PRODUCTS.iter().find(|(part, _)| texts().any(|text| text.contains(part)));
            if let Some((_, product)) = product {
                let observed = format!("{name} is a name that {product} gives its own CA");
                return Found::new(one, place, observed).severity(Warning).likely().into();
            }
        }
    }
    Outcome::Pass
}
