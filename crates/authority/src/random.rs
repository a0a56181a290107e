//! Randomness, from the operating system alone.

use zeroize::Zeroizing;

use crate::error::AuthorityError;

/// Digits and lower-case letters that cannot be taken for one another.
const UNAMBIGUOUS: &[u8; 32] = b"23456789abcdefghijkmnpqrstuvwxyz";

/// `N` random bytes.
pub(crate) fn bytes<const N: usize>() -> Result<[u8; N], AuthorityError> {
    let mut bytes = [0; N];
    getrandom::fill(&mut bytes).map_err(|_| AuthorityError::NoRandomness)?;
    Ok(bytes)
}

/// `N` random characters of 5 bits each, without `0`, `1`, `l` and `o`.
pub(crate) fn text<const N: usize>() -> Result<Zeroizing<String>, AuthorityError> {
    let bytes = Zeroizing::new(bytes::<N>()?);
    Ok(Zeroizing::new(bytes.iter().map(|byte| char::from(UNAMBIGUOUS[usize::from(byte % 32)])).collect()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn random_text_holds_no_look_alikes_and_never_repeats() {
        let one = text::<200>().unwrap();
        assert!(!one.contains(['0', '1', 'l', 'o', 'O', 'I']), "{}", *one);
        assert_ne!(one, text::<200>().unwrap());
    }
}
