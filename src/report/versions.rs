//! The versions of a batch, numbered from 1 in the order in which somebody first approved them or began to send them, and what
//! changed from one to the next.

use std::collections::HashMap;

use jiff::Timestamp;

use super::Facts;
use crate::domain::digest::Digest;

/// What changed, by the digest of the version that it led to; none for a version that the ledger cannot set against the one before.
pub type History = HashMap<Digest, Changes>;

/// What changed from one version to the next.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Changes {
    /// Missions whose letters differ, each with what differs in a few words.
    pub letters: Vec<(String, String)>,
    /// Missions that joined.
    pub joined: Vec<String>,
    /// Missions that left.
    pub left: Vec<String>,
    /// Files of the letter that differ: texts and what goes with them.
    pub files: Vec<String>,
}

/// The digests of the versions, the first one first; the batch as it stands now is among them.
#[must_use]
pub fn versions(facts: &Facts) -> Vec<Digest> {
    let approved = facts.approvals.iter().map(|approval| (approval.at, approval.digest));
    let begun =
        facts.runs.iter().filter_map(|run| Some((run.began.confirmed_at.unwrap_or(run.started_at), run.began.digest?)));
    let mut seen: Vec<(Timestamp, Digest)> = approved.chain(begun).collect();
    seen.sort_by_key(|(at, _)| *at);
    let mut versions: Vec<Digest> = Vec::new();
    for digest in seen.into_iter().map(|(_, digest)| digest).chain([facts.digest]) {
        if !versions.contains(&digest) {
            versions.push(digest);
        }
    }
    versions
}
