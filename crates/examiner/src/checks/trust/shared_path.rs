//! Why no path holds, told by the check of that name.

use super::prelude::*;
use crate::path::clients;

/// The finding of the check `id`, where the fault that explains best why no path holds is its own. `place` says where in
/// the certificate.
pub(super) fn fault(
    chain: &Chain,
    context: &Context<'_>,
    id: &str,
    place: impl FnOnce(&Examinee) -> Place,
) -> Outcome {
    let paths = context.paths();
    let Some(fault) = paths.best_fault().filter(|fault| paths.valid.is_empty() && fault.id == id) else {
        return Outcome::Pass;
    };
    let Some(certificate) = chain.all().find(|certificate| certificate.index == fault.index) else {
        return Outcome::Pass;
    };
    let found = Found::new(certificate, place(certificate), fault.why.clone());
    match clients::others_on_fault(context.clients()) {
        Some(who) => found.affected(who).into(),
        None => found.into(),
    }
}
