//! Digests of the parts of a key, which show later in what two keys differ.

use std::collections::BTreeMap;

use fanlight_shared::origin::Origin;

/// The most parts of a key that have a digest of their own; the others share one.
const MAX_PARTS: usize = 256;
/// The most bytes of the name of a part that has a digest of its own.
const MAX_NAME_BYTES: usize = 512;
/// The name of what the other parts share.
const OTHERS: &str = "others";
/// The beginning of the name of a mark that is no part of the key: the origin of a damaged result with the same key, as JSON.
const DAMAGED: &str = "damaged ";
/// The beginnings of the names of parts that are environment variables.
const VARIABLES: [&str; 3] = ["env ", "seen env ", "seen daemon's env "];

/// A digest of each part of a key, by the name of the part. It never contains a value.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct PartsDigest(Vec<u8>);

impl PartsDigest {
    /// Returns the digests of these parts, each with its name.
    pub fn of<'a>(parts: impl IntoIterator<Item = (&'a str, &'a [u8])>) -> Self {
        let (mut digests, mut others, mut left) = (Vec::new(), blake3::Hasher::new(), 0_usize);
        for (at, (name, part)) in parts.into_iter().enumerate() {
            if at < MAX_PARTS && name.len() <= MAX_NAME_BYTES {
                add(&mut digests, name, digest(name, part));
            } else {
                left += 1;
                for bytes in [name.as_bytes(), part] {
                    others.update(&(bytes.len() as u64).to_le_bytes());
                    others.update(bytes);
                }
            }
        }
        if left > 0 {
            add(&mut digests, OTHERS, first_bytes(&others.finalize()));
        }
        Self(digests)
    }

    /// Notes that the result was computed because an earlier one with this key was damaged.
    pub(in crate::store) fn note_damaged(&mut self, earlier: &Origin) {
        if let Ok(origin) = serde_json::to_string(earlier) {
            add(&mut self.0, &format!("{DAMAGED}{origin}"), [0; 8]);
        }
    }

    /// Returns the damaged result with the same key that was found, if there was one.
    pub(super) fn damaged(&self) -> Option<Origin> {
        let origin = self.read().into_keys().find_map(|name| name.strip_prefix(DAMAGED))?;
        serde_json::from_str(origin).ok()
    }

    pub(in crate::store) fn as_bytes(&self) -> &[u8] {
        &self.0
    }

    pub(in crate::store) fn from_bytes(bytes: Vec<u8>) -> Self {
        Self(bytes)
    }

    /// Returns whether nothing is known about the parts.
    pub(crate) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Returns the names of the parts that differ between two keys, or that only one of them has.
    pub(crate) fn differences(&self, other: &Self) -> Vec<String> {
        let (own, mut other) = (self.read(), other.read());
        let mut names = Vec::new();
        for (name, digest) in own {
            if other.remove(name) != Some(digest) {
                names.push(name.to_owned());
            }
        }
        names.extend(other.into_keys().map(str::to_owned));
        names.retain(|name| !name.starts_with(DAMAGED));
        names
    }

    /// Reads the digests. Damaged ones end the list.
    fn read(&self) -> BTreeMap<&str, [u8; 8]> {
        let (mut digests, mut rest) = (BTreeMap::new(), self.0.as_slice());
        while let Some((length, more)) = rest.split_first_chunk::<2>()
            && let Some((name, more)) = more.split_at_checked(usize::from(u16::from_le_bytes(*length)))
            && let Some((digest, more)) = more.split_first_chunk::<8>()
            && let Ok(name) = std::str::from_utf8(name)
        {
            digests.insert(name, *digest);
            rest = more;
        }
        digests
    }
}

fn add(digests: &mut Vec<u8>, name: &str, digest: [u8; 8]) {
    let length = u16::try_from(name.len()).unwrap_or(u16::MAX);
    digests.extend(length.to_le_bytes());
    digests.extend(name.as_bytes());
    digests.extend(digest);
}

fn digest(name: &str, part: &[u8]) -> [u8; 8] {
    let mut digest = first_bytes(&blake3::hash(part));
    if VARIABLES.iter().any(|beginning| name.starts_with(beginning)) {
        // Two bytes show a change, but identify no value among those that somebody may try.
        digest[2..].fill(0);
    }
    digest
}

fn first_bytes(hash: &blake3::Hash) -> [u8; 8] {
    let [a, b, c, d, e, f, g, h, ..] = *hash.as_bytes();
    [a, b, c, d, e, f, g, h]
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(parts: &[(&str, &str)]) -> PartsDigest {
        PartsDigest::of(parts.iter().map(|(name, part)| (*name, part.as_bytes())))
    }

    #[test]
    fn parts_differ_that_changed_came_or_went() {
        let one = of(&[("type", "a"), ("input x", "1"), ("input y", "2"), ("env HOME", "/a")]);
        assert_eq!(one.differences(&one), [""; 0]);
        let other = of(&[("type", "a"), ("input x", "2"), ("input z", "2"), ("env HOME", "/b")]);
        assert_eq!(one.differences(&other), ["env HOME", "input x", "input y", "input z"]);
    }

    #[test]
    fn a_damaged_result_is_no_part_of_the_key() {
        let origin = Origin {
            run_id: fanlight_shared::id::RunId::new(),
            run: "a#1".into(),
            node: "b".into(),
            item: fanlight_shared::item::ItemPath::WHOLE,
        };
        let (mut one, other) = (of(&[("input x", "1")]), of(&[("input x", "2")]));
        one.note_damaged(&origin);
        assert_eq!((one.damaged(), other.damaged()), (Some(origin), None));
        assert_eq!(one.differences(&other), ["input x"]);
        assert_eq!(other.differences(&one), ["input x"]);
    }

    #[test]
    fn a_key_with_many_or_long_parts_has_a_short_digest() {
        let names: Vec<String> = (0..10_000).map(|number| format!("seen file {number}")).collect();
        let long = "x".repeat(70_000);
        let many = |last: &'static str| {
            let parts = names.iter().map(|name| (name.as_str(), b"same".as_slice()));
            PartsDigest::of(parts.chain([(long.as_str(), last.as_bytes())]))
        };
        assert!(many("a").as_bytes().len() < 8192);
        assert_eq!(many("a").differences(&many("b")), ["others"]);
        assert_eq!(many("a").differences(&many("a")), [""; 0]);
    }

    #[test]
    fn little_of_the_digest_of_a_variable_is_stored() {
        assert_eq!(digest("env TOKEN", b"hunter2")[2..], [0; 6]);
        assert_ne!(digest("input token", b"hunter2")[2..], [0; 6]);
    }

    #[test]
    fn damaged_digests_are_read_as_far_as_they_are_whole() {
        let whole = of(&[("a", "1"), ("b", "2")]);
        for cut in 0..whole.as_bytes().len() {
            let damaged = PartsDigest::from_bytes(whole.as_bytes()[..cut].to_vec());
            assert!(!whole.differences(&damaged).is_empty(), "{cut}");
        }
    }
}
