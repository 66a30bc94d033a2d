//! The rehearsal's script: which addresses are refused, put off or dropped follows from a seed and the address alone.

use std::collections::{BTreeSet, HashMap};

use sha2::{Digest as _, Sha256};

use super::script::{Action, Cue, Script};
use crate::domain::outcome::Phase;

/// From how many addresses on [`seeded_for`] sees to it that every kind of fault occurs.
const ENOUGH: usize = 20;

/// The share of addresses that each kind of fault hits, from 0 to 1; together at most 1.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Shares {
    /// `450 4.7.1` at the first RCPT, accepted from the second on.
    pub greylisted: f64,
    /// `452 4.2.2` at every RCPT.
    pub deferred: f64,
    /// `550 5.1.1` at every RCPT.
    pub failed: f64,
    /// The connection closes after the dot without a reply; half of these letters were kept.
    pub dropped: f64,
}

impl Default for Shares {
    fn default() -> Self {
        Self { greylisted: 0.06, deferred: 0.03, failed: 0.04, dropped: 0.01 }
    }
}

/// What befalls an address.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
enum Fate {
    Greylisted,
    Deferred,
    Failed,
    Dropped,
}

impl Shares {
    /// The kinds with their shares, in the order in which they divide the unit interval.
    fn kinds(self) -> [(Fate, f64); 4] {
        [
            (Fate::Greylisted, self.greylisted),
            (Fate::Deferred, self.deferred),
            (Fate::Failed, self.failed),
            (Fate::Dropped, self.dropped),
        ]
    }

    fn fate(self, seed: u64, address: &str) -> Option<Fate> {
        let point = unit(hash(seed, "fate", address));
        let mut upper = 0.0;
        self.kinds().into_iter().find_map(|(fate, share)| {
            upper += share;
            (point < upper).then_some(fate)
        })
    }
}

/// A script in which the fate of each address depends on `seed` and the address alone, never on order, connection or
/// time: the same seed gives the same result. A letter with several recipients is dropped if one of them is.
#[must_use]
pub fn seeded(seed: u64, shares: Shares) -> Script {
    script(seed, move |address| shares.fate(seed, address))
}

/// As [`seeded`], for `addresses`: of each kind whose share is not 0 there is at least one, if there are 20 addresses
/// or more. For a kind that would be missing the unharmed address with the lowest hash is taken.
#[must_use]
pub fn seeded_for(seed: u64, shares: Shares, addresses: &[String]) -> Script {
    let chosen = chosen(seed, shares, addresses);
    script(seed, move |address| chosen.get(address).copied().or_else(|| shares.fate(seed, address)))
}

/// The addresses that stand in for the kinds that would be missing.
fn chosen(seed: u64, shares: Shares, addresses: &[String]) -> HashMap<String, Fate> {
    let addresses: BTreeSet<&str> = addresses.iter().map(String::as_str).collect();
    let mut chosen = HashMap::new();
    if addresses.len() < ENOUGH {
        return chosen;
    }
    let fates: Vec<(&str, Option<Fate>)> =
        addresses.iter().map(|address| (*address, shares.fate(seed, address))).collect();
    for (kind, share) in shares.kinds() {
        if share <= 0.0 || fates.iter().any(|(_, fate)| *fate == Some(kind)) {
            continue;
        }
        let unharmed = fates.iter().filter(|(address, fate)| fate.is_none() && !chosen.contains_key(*address));
        if let Some((address, _)) = unharmed.min_by_key(|(address, _)| (hash(seed, "stand-in", address), *address)) {
            chosen.insert((*address).to_owned(), kind);
        }
    }
    chosen
}

fn script(seed: u64, fate: impl Fn(&str) -> Option<Fate> + Send + Sync + 'static) -> Script {
    Script::new(move |cue| match cue.phase {
        Phase::Rcpt => at_rcpt(cue.recipient.and_then(&fate), cue),
        Phase::EndOfData => {
            let dropped = cue.recipients.iter().find(|address| fate(address) == Some(Fate::Dropped));
            dropped.map_or(Action::Behave, |address| drop_after_the_dot(seed, address))
        }
        _ => Action::Behave,
    })
}

fn at_rcpt(fate: Option<Fate>, cue: &Cue) -> Action {
    match fate {
        Some(Fate::Greylisted) if cue.tries == 1 => Action::Reply("450 4.7.1 greylisted, try again later".to_owned()),
        Some(Fate::Deferred) => Action::Reply("452 4.2.2 mailbox full".to_owned()),
        Some(Fate::Failed) => Action::Reply("550 5.1.1 no such mailbox".to_owned()),
        Some(Fate::Greylisted | Fate::Dropped) | None => Action::Behave,
    }
}

fn drop_after_the_dot(seed: u64, address: &str) -> Action {
    let close = Box::new(Action::Close);
    if hash(seed, "kept", address) & 1 == 1 { Action::AcceptThen(close) } else { Action::RejectThen(close) }
}

/// 64 bits that depend on the seed, the question and the address.
fn hash(seed: u64, question: &str, address: &str) -> u64 {
    let mut hash = Sha256::new();
    hash.update(seed.to_be_bytes());
    hash.update(question.as_bytes());
    hash.update([0]);
    hash.update(address.as_bytes());
    let digest: [u8; 32] = hash.finalize().into();
    digest.iter().take(8).fold(0, |bits, byte| bits << 8 | u64::from(*byte))
}

/// A hash as a point from 0 up to, and without, 1. 32 bits of it are as fine as a share needs, and exact in an `f64`.
fn unit(hash: u64) -> f64 {
    let high = u32::try_from(hash >> 32).unwrap_or(u32::MAX);
    f64::from(high) / 4_294_967_296.0
}

#[cfg(test)]
mod tests {
    use super::*;

    fn addresses(count: usize) -> Vec<String> {
        (0..count).map(|number| format!("m{number}@missions.example")).collect()
    }

    /// What the script does to `address` at each try of RCPT and after the dot.
    fn treatment(script: &Script, address: &str) -> [Action; 3] {
        let recipients = [address.to_owned()];
        [(Phase::Rcpt, 1), (Phase::Rcpt, 2), (Phase::EndOfData, 1)].map(|(phase, tries)| {
            let recipient = Some(address);
            script.decide(&Cue { phase, connection: tries, nth: tries, recipient, recipients: &recipients, tries })
        })
    }

    #[test]
    fn the_same_seed_gives_the_same_fates_in_any_order_and_another_seed_others() {
        let all = addresses(500);
        let fates = |seed, backwards| {
            let script = seeded(seed, Shares::default());
            let mut order: Vec<&String> = all.iter().collect();
            if backwards {
                order.reverse();
            }
            order.into_iter().map(|address| (address.clone(), treatment(&script, address))).collect::<HashMap<_, _>>()
        };
        assert_eq!(fates(7, false), fates(7, true));
        assert_ne!(fates(7, false), fates(8, false));
    }

    #[test]
    fn the_shares_are_kept_within_what_chance_allows() {
        let shares = Shares { greylisted: 0.25, deferred: 0.25, failed: 0.25, dropped: 0.0 };
        let mut counts: HashMap<Option<Fate>, usize> = HashMap::new();
        for address in addresses(4000) {
            *counts.entry(shares.fate(1, &address)).or_default() += 1;
        }
        assert!(!counts.contains_key(&Some(Fate::Dropped)));
        assert!(counts.len() == 4 && counts.values().all(|count| (850..1150).contains(count)), "{counts:?}");
    }

    #[test]
    fn greylisting_ends_at_the_second_try_and_other_refusals_do_not() {
        let all = addresses(500);
        let script = seeded(3, Shares::default());
        let code = |action: &Action| match action {
            Action::Reply(text) => text[..3].to_owned(),
            _ => String::new(),
        };
        let seen: BTreeSet<[String; 2]> = all
            .iter()
            .map(|address| treatment(&script, address))
            .map(|[first, second, _]| [code(&first), code(&second)])
            .collect();
        let expected = [["", ""], ["450", ""], ["452", "452"], ["550", "550"]];
        assert_eq!(seen, expected.map(|pair| pair.map(str::to_owned)).into());
    }

    #[test]
    fn dropped_letters_were_kept_or_not_and_both_occur() {
        let script = seeded(3, Shares { dropped: 1.0, greylisted: 0.0, deferred: 0.0, failed: 0.0 });
        let kept = |address: &String| match &treatment(&script, address)[2] {
            Action::AcceptThen(_) => true,
            Action::RejectThen(_) => false,
            other => panic!("{other:?}"),
        };
        let count = addresses(100).iter().filter(|address| kept(address)).count();
        assert!((20..80).contains(&count), "{count}");
    }

    #[test]
    fn from_twenty_addresses_on_every_kind_of_fault_occurs_each_at_an_address_of_its_own() {
        for seed in 0..50 {
            let all = addresses(20);
            let chosen = chosen(seed, Shares::default(), &all);
            let fate =
                |address: &String| chosen.get(address).copied().or_else(|| Shares::default().fate(seed, address));
            let kinds: BTreeSet<Fate> = all.iter().filter_map(fate).collect();
            assert_eq!(kinds.len(), 4, "seed {seed}");
            assert!(chosen.keys().all(|address| Shares::default().fate(seed, address).is_none()));
            let mut backwards = all.clone();
            backwards.reverse();
            assert_eq!(super::chosen(seed, Shares::default(), &backwards), chosen);
        }
        assert!(super::chosen(1, Shares::default(), &addresses(19)).is_empty());
        let none_dropped = Shares { dropped: 0.0, ..Shares::default() };
        assert!(!super::chosen(1, none_dropped, &addresses(20)).values().any(|fate| *fate == Fate::Dropped));
    }
}
