//! An earlier preview in the same folder, read back by its manifest and its pages: of a large batch only what is needed.

use std::collections::{HashMap, HashSet};
use std::fs::{self, File};
use std::io::BufReader;
use std::path::Path;

use serde::de::{DeserializeSeed, Deserializer, IgnoredAny, MapAccess, Visitor};
use serde::{Deserialize, de};

use super::item::{Earlier, EarlierFile, Standing};
use super::manifest::MANIFEST;
use super::{letter_page, names};
use crate::domain::digest::Digest;

/// The largest manifest and page read back, in octets.
const LARGEST: u64 = 256 * 1024 * 1024;
/// The most letters whose earlier text is read back: nobody reads more of them, and the memory is needed.
const TEXTS: usize = 2_000;

/// An earlier preview in the same folder.
#[derive(Debug)]
pub(super) struct Before {
    /// When it was made.
    pub(super) generated: String,
    /// How many letters of all of the batch are other ones.
    pub(super) changed: usize,
    /// How many of them were not there.
    pub(super) new: usize,
    /// The ids that are not in the batch any more.
    pub(super) gone: Vec<String>,
    digests: HashMap<String, Digest>,
    earlier: HashMap<String, Earlier>,
}

/// A manifest but for what stood in the letters.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct Heads {
    campaign: Option<String>,
    generated: String,
    digests: HashMap<String, Known>,
}

/// A digest, if it is one.
#[derive(Debug)]
struct Known(Option<Digest>);

impl<'de> Deserialize<'de> for Known {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        Ok(Self(String::deserialize(deserializer)?.parse().ok()))
    }
}

impl Before {
    /// Reads what is in the folder before it is cleared; `None` if there is no finished preview of this
    /// campaign. `planned` is every letter of the batch now.
    pub(super) fn read(folder: &Path, campaign: &str, planned: &[(String, Digest)]) -> Option<Self> {
        let manifest = folder.join(MANIFEST);
        let heads = Heads::deserialize(&mut json(&manifest)?).ok()?;
        if heads.campaign.is_some_and(|before| before != campaign) {
            return None;
        }
        let digests: HashMap<String, Digest> =
            heads.digests.into_iter().filter_map(|(id, known)| Some((id, known.0?))).collect();
        let (mut changed, mut new) = (0, 0);
        let mut wanted = HashSet::new();
        for (id, digest) in planned {
            match digests.get(id) {
                None => new += 1,
                Some(before) if before == digest => {}
                Some(_) => {
                    changed += 1;
                    if wanted.len() < TEXTS {
                        wanted.insert(id.as_str());
                    }
                }
            }
        }
        let mut earlier = HashMap::new();
        if !wanted.is_empty() {
            let stood = Letters { wanted: &wanted }.deserialize(&mut json(&manifest)?).ok()?;
            earlier = wanted.iter().map(|id| ((*id).to_owned(), stood.of(id, folder))).collect();
        }
        let now: HashSet<&str> = planned.iter().map(|(id, _)| id.as_str()).collect();
        let mut gone: Vec<String> = digests.keys().filter(|id| !now.contains(id.as_str())).cloned().collect();
        gone.sort_unstable();
        Some(Self { generated: heads.generated, changed, new, gone, digests, earlier })
    }

    /// A letter against the one of the earlier preview.
    pub(super) fn standing(&mut self, id: &str, digest: Digest) -> Standing {
        match self.digests.get(id) {
            None => Standing::New,
            Some(before) if *before == digest => Standing::Same,
            Some(_) => Standing::Changed(Box::new(self.earlier.remove(id).unwrap_or_default())),
        }
    }
}

/// What stood in the letters that are asked for, and what went with them.
#[derive(Debug, Default)]
struct Stood {
    fields: HashMap<String, Vec<(String, String)>>,
    attached: HashMap<String, Vec<usize>>,
    files: Option<Vec<EarlierFile>>,
}

impl Stood {
    fn of(&self, id: &str, folder: &Path) -> Earlier {
        let fields = self.fields.get(id).cloned().unwrap_or_default();
        // Only for pages that the preview says it made: the id is a row's, so it cannot leave the folder.
        let page = (!fields.is_empty()).then(|| small_file(&folder.join(names::page(id)))).flatten();
        let text = page.as_deref().and_then(letter_page::text_of);
        let files = self.files.as_ref().and_then(|files| {
            let places = self.attached.get(id).map_or(&[][..], Vec::as_slice);
            places.iter().map(|place| files.get(*place).cloned()).collect()
        });
        Earlier { fields, text, files }
    }
}

/// Reads a manifest, and keeps of its letters those that are wanted.
#[derive(Clone, Copy)]
struct Letters<'a> {
    wanted: &'a HashSet<&'a str>,
}

impl<'de> DeserializeSeed<'de> for Letters<'_> {
    type Value = Stood;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Stood, D::Error> {
        deserializer.deserialize_map(self)
    }
}

impl<'de> Visitor<'de> for Letters<'_> {
    type Value = Stood;

    fn expecting(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("a manifest")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Stood, A::Error> {
        let mut stood = Stood::default();
        while let Some(key) = map.next_key::<String>()? {
            match key.as_str() {
                "letters" => stood.fields = map.next_value_seed(Members::new(self.wanted))?,
                "attached" => stood.attached = map.next_value_seed(Members::new(self.wanted))?,
                "files" => {
                    let files: Vec<(String, Known, u64)> = map.next_value()?;
                    let file = |(name, digest, bytes): (String, Known, u64)| {
                        Some(EarlierFile { name, digest: digest.0?, bytes })
                    };
                    stood.files = files.into_iter().map(file).collect();
                }
                _ => drop(map.next_value::<IgnoredAny>()?),
            }
        }
        Ok(stood)
    }
}

/// Reads an object, and keeps the members that are wanted.
struct Members<'a, T> {
    wanted: &'a HashSet<&'a str>,
    of: std::marker::PhantomData<T>,
}

impl<'a, T> Members<'a, T> {
    fn new(wanted: &'a HashSet<&'a str>) -> Self {
        Self { wanted, of: std::marker::PhantomData }
    }
}

impl<'de, T: Deserialize<'de>> DeserializeSeed<'de> for Members<'_, T> {
    type Value = HashMap<String, T>;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Self::Value, D::Error> {
        deserializer.deserialize_map(self)
    }
}

impl<'de, T: Deserialize<'de>> Visitor<'de> for Members<'_, T> {
    type Value = HashMap<String, T>;

    fn expecting(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("an object")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Self::Value, A::Error> {
        let mut kept = HashMap::new();
        while let Some(key) = map.next_key::<String>()? {
            if self.wanted.contains(key.as_str()) {
                kept.insert(key, map.next_value()?);
            } else {
                map.next_value::<de::IgnoredAny>()?;
            }
        }
        Ok(kept)
    }
}

/// A file of JSON, to be read as it is needed.
fn json(path: &Path) -> Option<serde_json::Deserializer<serde_json::de::IoRead<BufReader<File>>>> {
    let file = File::open(is_small_file(path)?).ok()?;
    Some(serde_json::Deserializer::from_reader(BufReader::with_capacity(64 * 1024, file)))
}

/// The text of a file that is no link, no device and not absurdly large.
pub(super) fn small_file(path: &Path) -> Option<String> {
    fs::read_to_string(is_small_file(path)?).ok()
}

fn is_small_file(path: &Path) -> Option<&Path> {
    let facts = fs::symlink_metadata(path).ok()?;
    (facts.is_file() && facts.len() <= LARGEST).then_some(path)
}
