//! Every deviation by an input that has it, and by the right form that has not.

use super::*;

fn kinds(bytes: &[u8]) -> Vec<DeviationKind> {
    read(bytes.into(), Budget::default()).deviations.iter().map(|d| d.kind).collect()
}

#[test]
fn right_der_has_no_deviation() {
    for bytes in [
        &[0x30, 0x00][..],
        &[0x01, 0x01, 0xff],
        &[0x02, 0x02, 0x00, 0x80],
        &[0x03, 0x02, 0x03, 0xf8],
        &[0x03, 0x01, 0x00],
        &[0x05, 0x00],
        &[0x06, 0x03, 0x55, 0x1d, 0x0f],
        &[0x31, 0x06, 0x02, 0x01, 0x01, 0x02, 0x01, 0x02],
        &[0xa0, 0x03, 0x02, 0x01, 0x02],
    ] {
        assert_eq!(kinds(bytes), [], "{bytes:02x?}");
    }
}

#[test]
fn each_deviation_is_told() {
    use DeviationKind::*;
    for (bytes, kind) in [
        (&[0x30, 0x80, 0x05, 0x00, 0x00, 0x00][..], IndefiniteLength),
        (&[0x30, 0x81, 0x02, 0x05, 0x00], LongFormLength),
        (&[0x04, 0x82, 0x00, 0x01, 0xaa], LongFormLength),
        (&[0x30, 0x05, 0x05, 0x00], Truncated),
        (&[0x04], Truncated),
        (&[], Truncated),
        (&[0x1f, 0x10, 0x00], PaddedTag),
        (&[0x02, 0x02, 0x00, 0x01], PaddedInteger),
        (&[0x02, 0x02, 0xff, 0x80], PaddedInteger),
        (&[0x02, 0x00], EmptyInteger),
        (&[0x01, 0x01, 0x01], BooleanValue),
        (&[0x03, 0x02, 0x03, 0xff], BitStringPadding),
        (&[0x03, 0x02, 0x08, 0x00], BitStringPadding),
        (&[0x03, 0x00], BitStringPadding),
        (&[0x24, 0x02, 0x04, 0x00], ConstructedString),
        (&[0x10, 0x00], PrimitiveConstructed),
        (&[0x05, 0x01, 0x00], NullWithContent),
        (&[0x06, 0x02, 0x55, 0x80], ObjectIdentifier),
        (&[0x31, 0x06, 0x02, 0x01, 0x02, 0x02, 0x01, 0x01], UnsortedSet),
        (&[0x30, 0x02, 0x00, 0x00], StrayEndOfContents),
        (&[0x05, 0x00, 0x00], TrailingBytes),
    ] {
        assert!(kinds(bytes).contains(&kind), "{bytes:02x?} {:?}", kinds(bytes));
    }
    let mut reserved = vec![0x04, 0xff];
    reserved.extend([0; 127]);
    assert!(kinds(&reserved).contains(&ReservedLength));
}

#[test]
fn reading_goes_on_after_a_deviation_and_offsets_hold() {
    let tree = read(
        [0x30, 0x80, 0x02, 0x02, 0x00, 0x01, 0x06, 0x03, 0x55, 0x1d, 0x0f, 0, 0].into(),
        Budget::default(),
    );
    let root = tree.root().unwrap();
    assert_eq!(root.range(), 0..13);
    assert_eq!(root.content_range(), 2..11);
    assert_eq!(root.child(0).unwrap().unsigned(), Some(1));
    assert_eq!(root.child(1).unwrap().oid().as_deref(), Some("2.5.29.15"));
    assert_eq!(root.child(1).unwrap().range(), 6..11);
}

#[test]
fn budgets_bound_depth_and_count() {
    let mut deep: Vec<u8> = Vec::new();
    for _ in 0..60 {
        let mut outer = vec![0x30, deep.len() as u8];
        outer.extend(&deep);
        deep = outer;
    }
    assert!(kinds(&deep).contains(&DeviationKind::TooDeep));
    let tree = read([0x30, 0x06, 5, 0, 5, 0, 5, 0].into(), Budget { depth: 8, elements: 3 });
    assert_eq!(tree.deviations[0].kind, DeviationKind::TooMany);
    assert_eq!(tree.root().unwrap().children().len(), 2);
}

#[test]
fn no_input_of_few_bytes_ends_the_reader() {
    let mut seed = 1u64;
    for _ in 0..200_000 {
        let mut bytes = Vec::new();
        for _ in 0..24 {
            seed = seed.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
            let random = (seed >> 33) as u8;
            bytes.push([0x30, 0x31, 0x80, 0x00, 0x1f, 0xff, 0x03, 0x04, random][usize::from(random % 9)]);
        }
        for element in read(bytes.into(), Budget::default()).elements() {
            let _ =
                (element.bytes(), element.content(), element.oid(), element.unsigned(), element.bit_string());
        }
    }
}
