//! DER by hand: each function gives the bytes of one value, right or wrong as asked.
#![allow(dead_code)]

/// Any tag octet with these contents, the length as short as it can be.
pub fn tlv(tag: u8, content: &[u8]) -> Vec<u8> {
    let mut bytes = vec![tag];
    match content.len() {
        n @ 0..=0x7f => bytes.push(n as u8),
        n => {
            let octets: Vec<u8> = n.to_be_bytes().into_iter().skip_while(|o| *o == 0).collect();
            bytes.push(0x80 | octets.len() as u8);
            bytes.extend(octets);
        }
    }
    bytes.extend(content);
    bytes
}

/// Any tag octet with its length in this many octets more than it needs.
pub fn tlv_long(tag: u8, content: &[u8], superfluous: u8) -> Vec<u8> {
    let octets: Vec<u8> = content.len().to_be_bytes().into_iter().skip_while(|o| *o == 0).collect();
    let mut bytes = vec![tag, 0x80 | (octets.len() as u8 + superfluous)];
    bytes.extend(std::iter::repeat_n(0, superfluous.into()));
    bytes.extend(octets);
    bytes.extend(content);
    bytes
}

/// A SEQUENCE of these.
pub fn seq(parts: &[&[u8]]) -> Vec<u8> {
    tlv(0x30, &parts.concat())
}

/// A SET of these, in the order given.
pub fn set(parts: &[&[u8]]) -> Vec<u8> {
    tlv(0x31, &parts.concat())
}

/// `[number]` constructed around this.
pub fn explicit(number: u8, content: &[u8]) -> Vec<u8> {
    tlv(0xa0 | number, content)
}

/// `[number]` primitive with these contents.
pub fn implicit(number: u8, content: &[u8]) -> Vec<u8> {
    tlv(0x80 | number, content)
}

/// INTEGER with these octets as they stand.
pub fn integer(octets: &[u8]) -> Vec<u8> {
    tlv(0x02, octets)
}

/// BOOLEAN.
pub fn boolean(value: bool) -> Vec<u8> {
    tlv(0x01, &[if value { 0xff } else { 0 }])
}

/// NULL.
pub fn null() -> Vec<u8> {
    tlv(0x05, &[])
}

/// OCTET STRING.
pub fn octets(content: &[u8]) -> Vec<u8> {
    tlv(0x04, content)
}

/// BIT STRING with this count of unused bits.
pub fn bits(unused: u8, content: &[u8]) -> Vec<u8> {
    tlv(0x03, &[&[unused], content].concat())
}

/// BIT STRING of named bits, without trailing zero bits.
pub fn named_bits(set: &[u8]) -> Vec<u8> {
    let Some(last) = set.iter().max() else { return bits(0, &[]) };
    let mut content = vec![0u8; usize::from(last / 8) + 1];
    for bit in set {
        content[usize::from(bit / 8)] |= 0x80 >> (bit % 8);
    }
    bits(7 - last % 8, &content)
}

/// OBJECT IDENTIFIER from dotted text.
pub fn oid(dotted: &str) -> Vec<u8> {
    let arcs: Vec<u64> = dotted.split('.').map(|arc| arc.parse().expect("an arc is a number")).collect();
    let mut content = Vec::new();
    for arc in std::iter::once(arcs[0] * 40 + arcs[1]).chain(arcs[2..].iter().copied()) {
        let mut septets = vec![(arc & 0x7f) as u8];
        let mut rest = arc >> 7;
        while rest > 0 {
            septets.push(0x80 | (rest & 0x7f) as u8);
            rest >>= 7;
        }
        content.extend(septets.iter().rev());
    }
    tlv(0x06, &content)
}

/// UTF8String.
pub fn utf8(text: &str) -> Vec<u8> {
    tlv(0x0c, text.as_bytes())
}

/// PrintableString; the letters are not looked at.
pub fn printable(text: &str) -> Vec<u8> {
    tlv(0x13, text.as_bytes())
}

/// IA5String.
pub fn ia5(text: &str) -> Vec<u8> {
    tlv(0x16, text.as_bytes())
}

/// UTCTime, such as `260401000000Z`.
pub fn utc_time(text: &str) -> Vec<u8> {
    tlv(0x17, text.as_bytes())
}

/// GeneralizedTime, such as `20500101000000Z`.
pub fn generalized_time(text: &str) -> Vec<u8> {
    tlv(0x18, text.as_bytes())
}

/// One AttributeTypeAndValue.
pub fn attribute(kind: &str, value: &[u8]) -> Vec<u8> {
    seq(&[&oid(kind), value])
}

/// A Name of RDNs with one attribute each: type (dotted text) and the value's DER.
pub fn name(attributes: &[(&str, Vec<u8>)]) -> Vec<u8> {
    let rdns: Vec<Vec<u8>> = attributes.iter().map(|(kind, value)| set(&[&attribute(kind, value)])).collect();
    seq(&rdns.iter().map(Vec::as_slice).collect::<Vec<_>>())
}

/// AlgorithmIdentifier with NULL parameters.
pub fn algorithm_null(dotted: &str) -> Vec<u8> {
    seq(&[&oid(dotted), &null()])
}

/// AlgorithmIdentifier without parameters.
pub fn algorithm(dotted: &str) -> Vec<u8> {
    seq(&[&oid(dotted)])
}
