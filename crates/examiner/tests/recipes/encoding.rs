//! Fixtures of the checks in `checks/encoding`.

use super::*;

pub fn all() -> Vec<Recipe> {
    vec![
        pass("certificate-unreadable", "leaf", leaf(|_| {})),
        fail("certificate-unreadable", "a-key-instead", der(LEAF_P256.to_vec())),
        fail("certificate-unreadable", "cut-off", der(crate::support::spec::leaf().build()[..200].to_vec())),
        pass("der-indefinite-or-long-length", "leaf", leaf(|_| {})),
        fail(
            "der-indefinite-or-long-length",
            "extension",
            leaf(|spec| spec.extension("2.5.29.37").value = tlv_long(0x30, &oid("1.3.6.1.5.5.7.3.1"), 1)),
        ),
        fail(
            "der-indefinite-or-long-length",
            "indefinite-subject",
            leaf(|spec| spec.subject = vec![0x30, 0x80, 0, 0]),
        ),
        pass("extension-undecodable", "leaf", leaf(|_| {})),
        fail(
            "extension-undecodable",
            "authority-access",
            leaf(|spec| spec.extension("1.3.6.1.5.5.7.1.1").value = utf8("http://ca.trust.example.com/")),
        ),
    ]
}
