//! A party's identifier in sixteen bytes.

/// Where a UUID has its dashes (RFC 9562 section 4).
const DASHES: [usize; 4] = [8, 13, 18, 23];

/// The sixteen bytes of a UUID in lower case; none for any other text.
pub(super) fn packed(text: &str) -> Option<[u8; 16]> {
    if text.len() != 36 || !DASHES.iter().all(|place| text.as_bytes()[*place] == b'-') {
        return None;
    }
    let mut digits = text.bytes().enumerate().filter(|(place, _)| !DASHES.contains(place));
    let mut digit = || match digits.next()?.1 {
        digit @ b'0'..=b'9' => Some(digit - b'0'),
        letter @ b'a'..=b'f' => Some(letter - b'a' + 10),
        _ => None,
    };
    let mut bytes = [0; 16];
    for byte in &mut bytes {
        *byte = digit()? << 4 | digit()?;
    }
    Some(bytes)
}

/// The UUID of sixteen bytes.
pub(super) fn text(bytes: [u8; 16]) -> String {
    let mut text = String::with_capacity(36);
    for byte in bytes {
        if DASHES.contains(&text.len()) {
            text.push('-');
        }
        for digit in [byte >> 4, byte & 15] {
            text.extend(char::from_digit(u32::from(digit), 16));
        }
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_uuid_is_given_back_as_it_was_and_another_text_is_not_packed() {
        for id in ["6ba7b810-9dad-11d1-80b4-00c04fd430c8", "00000000-0000-0000-0000-000000000000"] {
            assert_eq!(packed(id).map(text).as_deref(), Some(id));
        }
        for other in [
            "",
            "alice",
            "6BA7B810-9dad-11d1-80b4-00c04fd430c8",
            "6ba7b8109dad-11d1-80b4-00c04fd430c8a",
            "6ba7b810-9dad-11d1-80b4-00c04fd430c",
            "6ba7b810-9dad-11d1-80b4-00c04fd430c8a",
            "6ba7b810-9dad-11d1-80b4-00c04fd430cg",
            "6ba7b810-9dad-11d1-80b4-00c04fd43é-",
            "----------------------------------- ",
        ] {
            assert_eq!(packed(other), None, "{other}");
        }
    }
}
