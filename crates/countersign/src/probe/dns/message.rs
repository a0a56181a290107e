//! A question to a resolver, and the records of its answer (RFC 1035 section 4).
//!
//! No name in the answer is unpacked: the resolver follows aliases, so a record of the wanted type in the answer section is
//! one for the name that was asked, whatever it is called.

/// Records that are read of one answer.
const MOST_RECORDS: usize = 64;
/// The class of the internet.
const INTERNET: u16 = 1;

/// A type of records.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Type {
    /// IPv4 addresses.
    A = 1,
    /// IPv6 addresses (RFC 3596).
    Aaaa = 28,
    /// Who may issue (RFC 8659).
    Caa = 257,
    /// Pinned certificates (RFC 6698).
    Tlsa = 52,
    /// Where clients are led to (RFC 9460).
    Https = 65,
}

impl Type {
    /// Its name.
    pub fn word(self) -> &'static str {
        match self {
            Self::A => "A",
            Self::Aaaa => "AAAA",
            Self::Caa => "CAA",
            Self::Tlsa => "TLSA",
            Self::Https => "HTTPS",
        }
    }
}

/// What a resolver answered.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Answer {
    /// Its response code: 0 is fine, 2 that it failed, 3 that there is no such name.
    pub code: u8,
    /// Whether it verified the answer (AD, RFC 4035 section 3.2.3).
    pub is_authentic: bool,
    /// Whether there is more than it could send (TC).
    pub is_cut: bool,
    /// The contents of the records of the wanted type.
    pub records: Vec<Vec<u8>>,
}

/// The question; `None` where the name is none of the DNS. `is_checked`: whether the resolver shall verify.
pub fn question(id: u16, name: &str, kind: Type, is_checked: bool) -> Option<Vec<u8>> {
    // RD and AD: the resolver shall ask around, and say whether it verified (RFC 6840 section 5.7). CD: it shall not verify.
    let flags: u16 = 0x0120 | if is_checked { 0 } else { 0x0010 };
    let mut out = Vec::new();
    for number in [id, flags, 1, 0, 0, 1] {
        out.extend(number.to_be_bytes());
    }
    for label in name.split('.') {
        if label.is_empty() || label.len() > 63 {
            return None;
        }
        out.push(label.len() as u8);
        out.extend(label.as_bytes());
    }
    out.push(0);
    if out.len() > 12 + 255 {
        return None;
    }
    out.extend((kind as u16).to_be_bytes());
    out.extend(INTERNET.to_be_bytes());
    // EDNS: answers of 1232 octets by UDP (RFC 6891 section 6.1.2).
    out.extend([0, 0, 41, 0x04, 0xd0, 0, 0, 0, 0, 0, 0]);
    Some(out)
}

/// The answer to this question; `None` where it is none.
pub fn answer(bytes: &[u8], question: &[u8], kind: Type) -> Option<Answer> {
    let mut rest = Reader { bytes, at: 0 };
    let asked = Reader { bytes: question, at: 12 }.name_end().and_then(|end| question.get(12..end + 4))?;
    if rest.number()? != u16::from_be_bytes([*question.first()?, *question.get(1)?]) {
        return None;
    }
    let flags = rest.number()?;
    let (questions, answers) = (rest.number()?, rest.number()?);
    rest.at += 4;
    let is_answer = flags & 0x8000 != 0 && flags & 0x7800 == 0;
    let repeated = bytes.get(12..12 + asked.len())?;
    if !is_answer || questions != 1 || !repeated.eq_ignore_ascii_case(asked) {
        return None;
    }
    rest.at = 12 + asked.len();
    let mut records = Vec::new();
    let is_cut = flags & 0x0200 != 0;
    for _ in 0..usize::from(answers).min(MOST_RECORDS) {
        match rest.record() {
            Some((of, INTERNET, data)) if of == kind as u16 => records.push(data.to_vec()),
            Some(_) => {}
            None if is_cut => break,
            None => return None,
        }
    }
    Some(Answer { code: (flags & 0xf) as u8, is_authentic: flags & 0x0020 != 0, is_cut, records })
}

/// Reads from the front.
struct Reader<'a> {
    bytes: &'a [u8],
    at: usize,
}

impl<'a> Reader<'a> {
    fn number(&mut self) -> Option<u16> {
        let two = self.bytes.get(self.at..self.at + 2)?;
        self.at += 2;
        Some(u16::from_be_bytes([two[0], two[1]]))
    }

    /// One past the end of the name that begins here. A name ends with an empty label, or with a pointer, which is not
    /// followed.
    fn name_end(&self) -> Option<usize> {
        let mut at = self.at;
        loop {
            match *self.bytes.get(at)? {
                0 => return Some(at + 1),
                length @ 1..=63 => at += 1 + usize::from(length),
                0xc0.. => return Some(at + 2),
                _ => return None,
            }
        }
    }

    /// Type, class and contents.
    fn record(&mut self) -> Option<(u16, u16, &'a [u8])> {
        self.at = self.name_end()?;
        let (kind, class) = (self.number()?, self.number()?);
        self.at += 4;
        let length = usize::from(self.number()?);
        let data = self.bytes.get(self.at..self.at + length)?;
        self.at += length;
        Some((kind, class, data))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn asked() -> Vec<u8> {
        question(0x1234, "a.example", Type::Caa, true).unwrap()
    }

    /// An answer with these flags and records, each with its type and contents.
    fn answered(flags: u16, records: &[(u16, &[u8])]) -> Vec<u8> {
        let asked = asked();
        let mut out = vec![0x12, 0x34];
        out.extend(flags.to_be_bytes());
        out.extend([0, 1, 0, records.len() as u8, 0, 0, 0, 0]);
        out.extend(&asked[12..27]);
        for (kind, data) in records {
            out.extend([0xc0, 12]);
            out.extend(kind.to_be_bytes());
            out.extend([0, 1, 0, 0, 0, 60]);
            out.extend((data.len() as u16).to_be_bytes());
            out.extend(*data);
        }
        out
    }

    fn read(bytes: &[u8]) -> Option<Answer> {
        answer(bytes, &asked(), Type::Caa)
    }

    #[test]
    fn a_question_has_the_name_its_type_and_room_for_the_answer() {
        let whole = asked();
        assert_eq!(whole[..12], [0x12, 0x34, 0x01, 0x20, 0, 1, 0, 0, 0, 0, 0, 1]);
        assert_eq!(&whole[12..23], b"\x01a\x07example\x00");
        assert_eq!(whole[23..27], [1, 1, 0, 1]);
        assert_eq!(question(1, "a", Type::Tlsa, false).unwrap()[2..4], [0x01, 0x30]);
        for name in ["", "a..b", "a.", &"x".repeat(64), &["abc"; 80].join(".")] {
            assert_eq!(question(1, name, Type::Caa, true), None, "{name}");
        }
        assert!(question(1, &"x".repeat(63), Type::Caa, true).is_some());
    }

    #[test]
    fn records_of_the_wanted_type_are_read_and_aliases_are_passed_over() {
        let bytes = answered(0x81a0, &[(5, b"\xc0\x0c"), (257, b"\x00\x05issueca"), (46, b"x")]);
        let expected =
            Answer { code: 0, is_authentic: true, is_cut: false, records: vec![b"\x00\x05issueca".to_vec()] };
        assert_eq!(read(&bytes), Some(expected));
        assert_eq!(read(&answered(0x8183, &[])).map(|one| (one.code, one.is_authentic)), Some((3, false)));
    }

    #[test]
    fn what_is_no_answer_to_this_question_is_none() {
        let right = answered(0x8180, &[(257, b"abc")]);
        assert!(read(&right).is_some());
        let mut other = right.clone();
        other[0] ^= 1;
        assert_eq!(read(&other), None, "another id");
        let mut name = right.clone();
        name[13] = b'b';
        assert_eq!(read(&name), None, "another name");
        assert_eq!(read(&answered(0x0180, &[])), None, "a question");
        for end in 0..right.len() {
            assert_eq!(read(&right[..end]), None, "{end}");
        }
        // One that is cut says so, and what is whole of it is read.
        let mut cut = answered(0x8380, &[(257, b"abc"), (257, b"def")]);
        cut.truncate(cut.len() - 1);
        assert_eq!(read(&cut).map(|one| (one.is_cut, one.records.len())), Some((true, 1)));
        // A label of a kind that does not exist, and a name without an end.
        let mut label = right.clone();
        label[27] = 0x80;
        assert_eq!(read(&label), None);
        assert_eq!(read(&[&right[..27], &[1; 40]].concat()), None);
    }
}
