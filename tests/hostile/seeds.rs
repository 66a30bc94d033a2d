//! The seeds of the fuzz targets, each through its parser: what once failed never fails again.

use std::path::Path;

#[path = "../../fuzz/parsers.rs"]
pub(crate) mod parsers;

/// Runs a parser over each of its seeds.
fn each_seed(target: &str, parse: fn(&[u8])) {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("fuzz/corpus").join(target);
    let mut seeds = 0;
    for seed in std::fs::read_dir(&folder).expect("seeds are here").flatten() {
        parse(&std::fs::read(seed.path()).expect("a seed"));
        seeds += 1;
    }
    assert!(seeds >= 3, "{target} has {seeds} seeds");
}

#[test]
fn no_seed_makes_a_parser_panic() {
    each_seed("reply", parsers::reply);
    each_seed("ehlo", parsers::ehlo);
    each_seed("csv", parsers::csv);
    each_seed("address", parsers::address);
    each_seed("front_matter", parsers::front_matter);
    each_seed("config", parsers::config);
}
