//! When a certificate is due: at two thirds of its life, and a while later, which differs from one certificate to another,
//! so that a fleet whose certificates are of one day does not come at one moment.

use examiner::{Certificate, UnixTime};

/// Of its life, the certificates are spread over one part in so many.
const SPREAD: i64 = 12;

/// The moment; the same whenever it is asked for.
pub fn due(certificate: &Certificate) -> UnixTime {
    let first = [certificate.thumbprint.0[0], certificate.thumbprint.0[1]];
    moment(certificate.not_before, certificate.not_after, u16::from_be_bytes(first))
}

fn moment(not_before: UnixTime, not_after: UnixTime, lot: u16) -> UnixTime {
    let life = not_after.seconds().saturating_sub(not_before.seconds()).max(0);
    let later = i128::from(life / SPREAD) * i128::from(lot) / i128::from(u16::MAX);
    // A part of a life that is a number of seconds.
    let later = i64::try_from(later).unwrap_or(0);
    not_before.plus((i128::from(life) * 2 / 3) as i64).plus(later)
}

#[cfg(test)]
mod tests {
    use super::*;

    const DAY: i64 = 86_400;

    #[test]
    fn it_is_at_two_thirds_and_before_three_quarters_of_a_life() {
        let (first, last) = (UnixTime(1_800_000_000), UnixTime(1_800_000_000 + 90 * DAY));
        assert_eq!(moment(first, last, 0), first.plus(60 * DAY));
        assert_eq!(moment(first, last, u16::MAX), first.plus(60 * DAY + 90 * DAY / 12));
        let middle = moment(first, last, u16::MAX / 2);
        assert!(first.plus(63 * DAY) < middle && middle < first.plus(64 * DAY), "{middle}");
    }

    #[test]
    fn a_certificate_without_a_life_is_due() {
        let now = UnixTime(1_800_000_000);
        assert_eq!(moment(now, now.plus(-1), u16::MAX), now);
    }
}
