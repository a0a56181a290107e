//! The address of a key in a token, as a PKCS#11 URI (RFC 7512):
//! `pkcs11:token=countersign;id=%01%02;type=private?module-path=/usr/lib/softhsm/libsofthsm2.so`.

use std::fmt;
use std::path::PathBuf;

use super::TokenPlace;

/// How such an address begins.
pub(crate) const SCHEME: &str = "pkcs11:";

/// Where a key is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Address {
    /// The token.
    pub place: TokenPlace,
    /// CKA_ID of the key.
    pub id: Vec<u8>,
}

impl Address {
    /// Parses one that names a module, a token and an id, and nothing that is not known here; an error says what is wrong.
    pub fn parse(text: &str) -> Result<Self, String> {
        let rest = text.strip_prefix(SCHEME).ok_or("holds no `pkcs11:` address")?;
        let (path, query) = rest.split_once('?').unwrap_or((rest, ""));
        let (mut token, mut id, mut module) = (None, None, None);
        let all = path.split(';').map(|one| (one, true)).chain(query.split('&').map(|one| (one, false)));
        for (pair, in_path) in all.filter(|(pair, _)| !pair.is_empty()) {
            let (name, value) = pair.split_once('=').ok_or("has an attribute without a value")?;
            let value = decode(value).ok_or("has a value that is not percent-encoded")?;
            let place = match (name, in_path) {
                ("token", true) => &mut token,
                ("id", true) => &mut id,
                ("module-path", false) => &mut module,
                ("type", true) if value == b"private" => continue,
                _ => return Err(format!("has the attribute `{}`, which is not known", name.escape_debug())),
            };
            if place.replace(value).is_some() {
                return Err(format!("has the attribute `{name}` twice"));
            }
        }
        let text = |value: Option<Vec<u8>>, name: &str| {
            let value = value.filter(|value| !value.is_empty()).ok_or(format!("has no `{name}`"))?;
            String::from_utf8(value).map_err(|_| format!("has a `{name}` that is no text"))
        };
        let id = id.filter(|id| !id.is_empty()).ok_or("has no `id`")?;
        let module = PathBuf::from(text(module, "module-path")?);
        if !module.is_absolute() {
            return Err("has a `module-path` that does not begin at the root".into());
        }
        Ok(Self { place: TokenPlace { module, token: text(token, "token")? }, id })
    }
}

impl fmt::Display for Address {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{SCHEME}token={};id=", Encoded(self.place.token.as_bytes()))?;
        self.id.iter().try_for_each(|octet| write!(f, "%{octet:02X}"))?;
        let module = self.place.module.to_string_lossy();
        write!(f, ";type=private?module-path={}", Encoded(module.as_bytes()))
    }
}

struct Encoded<'a>(&'a [u8]);

impl fmt::Display for Encoded<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.iter().try_for_each(|octet| match octet {
            b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'-' | b'.' | b'_' | b'~' | b'/' => {
                write!(f, "{}", char::from(*octet))
            }
            _ => write!(f, "%{octet:02X}"),
        })
    }
}

fn decode(text: &str) -> Option<Vec<u8>> {
    let mut octets = text.bytes();
    let mut all = Vec::new();
    while let Some(octet) = octets.next() {
        let digit = |octet: u8| char::from(octet).to_digit(16).map(|digit| digit as u8);
        all.push(match octet {
            b'%' => digit(octets.next()?)? << 4 | digit(octets.next()?)?,
            octet if octet.is_ascii_graphic() => octet,
            _ => return None,
        });
    }
    Some(all)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_survives_being_written() {
        for token in ["countersign", "a; token=b?", "Schlüssel 1"] {
            let place = TokenPlace { module: "/usr/lib/my module.so".into(), token: token.into() };
            let address = Address { place, id: vec![0, 1, 0xff, b';'] };
            assert_eq!(Address::parse(&address.to_string()), Ok(address));
        }
        let text = "pkcs11:token=ca;id=%01%02;type=private?module-path=/usr/lib/softhsm/libsofthsm2.so";
        assert_eq!(Address::parse(text).unwrap().to_string(), text);
    }

    #[test]
    fn what_is_no_address_of_a_key_is_refused() {
        let whole = "pkcs11:token=ca;id=%01?module-path=/x.so";
        assert!(Address::parse(whole).is_ok());
        for (text, word) in [
            ("", "pkcs11"),
            ("pkcs11:", "id"),
            ("pkcs11:id=%01?module-path=/x.so", "token"),
            ("pkcs11:token=ca?module-path=/x.so", "id"),
            ("pkcs11:token=ca;id=%01", "module-path"),
            ("pkcs11:token=ca;id=%01?module-path=x.so", "root"),
            ("pkcs11:token=ca;token=b;id=%01?module-path=/x.so", "twice"),
            ("pkcs11:token=ca;id=%0?module-path=/x.so", "percent"),
            ("pkcs11:token=ca;id=%01;pin-value=1234?module-path=/x.so", "pin-value"),
            ("pkcs11:token=ca;id=%01?module-path=/x.so&pin-value=1", "pin-value"),
            ("pkcs11:token=ca;id=%01;type=cert?module-path=/x.so", "type"),
            ("pkcs11:token=%ff;id=%01?module-path=/x.so", "no text"),
        ] {
            let refused = Address::parse(text).unwrap_err();
            assert!(refused.contains(word), "{text}: {refused}");
        }
    }
}
