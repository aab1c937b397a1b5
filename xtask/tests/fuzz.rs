//! Every fuzz target has a corpus that an ordinary test replays.

use std::fs;
use std::path::Path;

/// Where the replaying tests stand.
const REPLAYS: [&str; 5] = [
    "crates/proxy/src/fuzz.rs",
    "crates/rtmp/src/fuzz.rs",
    "crates/packager/src/fuzz.rs",
    "crates/transcode/src/fuzz.rs",
    "crates/media/src/codec/fuzz.rs",
];

#[test]
fn every_fuzz_target_is_replayed() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("..");
    let replays = REPLAYS
        .map(|path| fs::read_to_string(root.join(path)).unwrap())
        .concat();
    for target in fs::read_dir(root.join("fuzz/fuzz_targets")).unwrap() {
        let path = target.unwrap().path();
        let name = path.file_stem().unwrap().to_str().unwrap();
        assert!(
            replays.contains(&format!("\"{name}\"")),
            "no test replays the corpus of {name}"
        );
        let corpus = root.join("fuzz/corpus").join(name);
        assert!(
            fs::read_dir(&corpus).is_ok_and(|mut files| files.next().is_some()),
            "no corpus for {name}"
        );
    }
}
