//! The cryptography of all connections: AWS-LC, and the record protection that this processor is fastest with.
//!
//! Both libraries have AES-GCM in assembly for each processor, but not the same: AWS-LC takes four blocks at once where
//! there is AVX-512, and one otherwise; *ring* takes two where there is AVX2 with vector AES and no AVX-512. Key exchange,
//! signatures, randomness and certificates are AWS-LC's everywhere.

use rustls::CipherSuite;
use rustls::crypto::{CryptoProvider, aws_lc_rs, ring};

/// The provider of all connections, to visitors and to upstreams.
pub(crate) fn provider() -> CryptoProvider {
    with_records_of(fastest())
}

/// Whose AES-GCM protects the records.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Records {
    AwsLc,
    Ring,
}

/// What a processor has for AES-GCM.
#[derive(Clone, Copy)]
struct Features {
    /// AES and carry-less multiplication on registers of 256 bits.
    vector_aes: bool,
    /// What AWS-LC needs to use registers of 512 bits.
    avx512: bool,
}

impl Features {
    const fn records(self) -> Records {
        if self.vector_aes && !self.avx512 { Records::Ring } else { Records::AwsLc }
    }
}

#[cfg(target_arch = "x86_64")]
fn fastest() -> Records {
    use std::arch::is_x86_feature_detected as has;
    let vector_aes = has!("avx2") && has!("vaes") && has!("vpclmulqdq");
    let avx512 = has!("avx512f") && has!("avx512bw") && has!("avx512dq") && has!("avx512vl");
    Features { vector_aes, avx512 }.records()
}

#[cfg(not(target_arch = "x86_64"))]
fn fastest() -> Records {
    Features { vector_aes: false, avx512: false }.records()
}

fn with_records_of(records: Records) -> CryptoProvider {
    let mut provider = aws_lc_rs::default_provider();
    if records == Records::Ring {
        for ours in &mut provider.cipher_suites {
            let theirs = ring::ALL_CIPHER_SUITES.iter().find(|theirs| theirs.suite() == ours.suite());
            if let Some(theirs) = theirs {
                *ours = *theirs;
            }
        }
    }
    provider.cipher_suites.sort_by_key(|suite| suite.suite() != CipherSuite::TLS13_AES_128_GCM_SHA256);
    provider
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn two_blocks_at_once_are_better_than_one_and_worse_than_four() {
        let records = |vector_aes, avx512| Features { vector_aes, avx512 }.records();
        assert_eq!(records(false, false), Records::AwsLc);
        assert_eq!(records(true, false), Records::Ring);
        assert_eq!(records(true, true), Records::AwsLc);
        assert_eq!(records(false, true), Records::AwsLc);
    }

    #[test]
    fn whoever_protects_the_records_the_suites_and_their_order_are_the_same() {
        let suites = |records| {
            let suites = with_records_of(records).cipher_suites;
            suites.iter().map(|suite| suite.suite()).collect::<Vec<_>>()
        };
        assert_eq!(suites(Records::AwsLc), suites(Records::Ring));
        assert_eq!(suites(Records::Ring)[0], CipherSuite::TLS13_AES_128_GCM_SHA256);
    }

    #[test]
    fn keys_are_exchanged_and_proved_by_the_same_library() {
        let names = |records| {
            let provider = with_records_of(records);
            let groups = provider.kx_groups.iter().map(|group| group.name()).collect::<Vec<_>>();
            (groups, provider.signature_verification_algorithms.supported_schemes())
        };
        assert_eq!(names(Records::AwsLc), names(Records::Ring));
    }
}
