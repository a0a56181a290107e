//! The fuzzer, on the target that the variable `COUNTERSIGN_FUZZ` names; `fuzz/run` starts it.
#![no_main]

use std::sync::LazyLock;

use fuzz::Target;

static TARGET: LazyLock<Target> = LazyLock::new(|| {
    let name = std::env::var("COUNTERSIGN_FUZZ").unwrap_or_default();
    Target::named(&name).unwrap_or_else(|| panic!("COUNTERSIGN_FUZZ names no target: `{name}`"))
});

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| TARGET.read(bytes));
