//! The dry run as files: one .eml a mission and a page to look at them all.
