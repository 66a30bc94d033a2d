//! An SMTP server on loopback that keeps the truth: for rehearsals, trials, tests and benchmarks.
