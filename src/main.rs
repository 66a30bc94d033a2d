//! The doorway: parse, start tracing, run, exit code.
fn main() {}
