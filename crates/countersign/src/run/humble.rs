//! Work that gives way to all else: those who are served share the processor with it.

use std::panic::resume_unwind;

/// The lowest priority (setpriority(2)).
const LOWEST: i32 = 19;

/// Does `work` on a thread of its own with the lowest priority, and waits for it. On Linux a priority is a thread's, and
/// one that was lowered cannot be raised again.
pub fn humbly<T: Send>(work: impl FnOnce() -> T + Send) -> T {
    let done = std::thread::scope(|scope| {
        let thread = scope.spawn(|| {
            // With the usual priority it is done as well.
            let _ = rustix::process::setpriority_process(None, LOWEST);
            work()
        });
        thread.join()
    });
    done.unwrap_or_else(|panicked| resume_unwind(panicked))
}

#[cfg(test)]
mod tests {
    use rustix::process::getpriority_process;

    use super::*;

    #[test]
    fn the_work_has_the_lowest_priority_and_who_waits_for_it_keeps_its_own() {
        let before = getpriority_process(None).unwrap();
        assert_eq!(humbly(|| getpriority_process(None).unwrap()), LOWEST);
        assert_eq!(getpriority_process(None).unwrap(), before);
    }

    #[test]
    #[should_panic(expected = "odd")]
    fn a_panic_is_told_to_who_waits() {
        humbly(|| panic!("odd"));
    }
}
