//! A configuration profile for iPhone, iPad and Mac: key and certificate as PKCS#12, and the root to trust.

use std::path::Path;

use plist::{Dictionary, Value};
use uuid::Uuid;

use crate::cli::{Failure, cert};

/// What all our profiles are called, with a random part each: a second one does not replace the first.
const IDENTIFIER: &str = "countersign.certificate";

/// The profile, XML. The password of the PKCS#12 file is not in it: the device asks for it.
pub fn profile(name: &str, p12: Vec<u8>, root: Option<&Path>) -> Result<Vec<u8>, Failure> {
    let mut parts = vec![payload("com.apple.security.pkcs12", name, &format!("{name}.p12"), p12)];
    if let Some(file) = root {
        for one in cert::read(file)? {
            if !one.is_ca {
                return Err(Failure::usage(
                    format!("{}: {} is no CA's certificate", file.display(), one.subject),
                    "give the root that the site's certificate comes from",
                ));
            }
            // What is not issued by itself is no anchor there, and only helps to find one.
            let kind = if one.subject_der == one.issuer_der {
                "com.apple.security.root"
            } else {
                "com.apple.security.pkcs1"
            };
            let shown = one.subject.common_name().unwrap_or("CA").to_owned();
            parts.push(payload(kind, &shown, &format!("{shown}.cer"), one.der.to_vec()));
        }
    }
    let mut all = head("Configuration", name);
    all.insert("PayloadDescription".into(), format!("The certificate of {name}, to enter websites.").into());
    all.insert("PayloadContent".into(), Value::Array(parts));
    let mut text = Vec::new();
    Value::Dictionary(all)
        .to_writer_xml(&mut text)
        .map_err(|error| Failure::no(format!("the profile cannot be written: {error}"), ""))?;
    Ok(text)
}

fn payload(kind: &str, shown: &str, file: &str, content: Vec<u8>) -> Value {
    let mut part = head(kind, shown);
    part.insert("PayloadCertificateFileName".into(), file.into());
    part.insert("PayloadContent".into(), Value::Data(content));
    Value::Dictionary(part)
}

/// What every payload has.
fn head(kind: &str, shown: &str) -> Dictionary {
    let id = Uuid::new_v4().to_string().to_uppercase();
    let mut part = Dictionary::new();
    part.insert("PayloadType".into(), kind.into());
    part.insert("PayloadVersion".into(), 1.into());
    part.insert("PayloadIdentifier".into(), format!("{IDENTIFIER}.{id}").into());
    part.insert("PayloadUUID".into(), id.into());
    part.insert("PayloadDisplayName".into(), shown.into());
    part
}
