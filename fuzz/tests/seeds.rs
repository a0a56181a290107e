//! Every seed is read without a panic, and the seeds stay small.

use std::fs;
use std::path::Path;

use fuzz::Target;

/// What the seeds of one target may weigh together, in octets.
const MOST: usize = 24_000;

#[test]
fn every_seed_is_read() {
    for target in Target::ALL {
        let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("seeds").join(target.name());
        let seeds: Vec<Vec<u8>> =
            fs::read_dir(&folder).unwrap().map(|file| fs::read(file.unwrap().path()).unwrap()).collect();
        assert!(!seeds.is_empty(), "{} has no seed", target.name());
        let weight: usize = seeds.iter().map(Vec::len).sum();
        assert!(weight <= MOST, "the seeds of {} weigh {weight} octets", target.name());
        for seed in &seeds {
            target.read(seed);
            (0..seed.len()).step_by(seed.len() / 40 + 1).for_each(|end| target.read(&seed[..end]));
        }
    }
}

#[test]
fn every_folder_of_seeds_belongs_to_a_target() {
    for folder in fs::read_dir(Path::new(env!("CARGO_MANIFEST_DIR")).join("seeds")).unwrap() {
        let name = folder.unwrap().file_name().into_string().unwrap();
        assert!(Target::named(&name).is_some(), "seeds/{name} belongs to no target");
    }
}
