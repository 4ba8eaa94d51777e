//! What results depend on besides the work that makes them.

/// What the result of a work depends on besides the work itself, at one moment.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Surroundings {
    /// Its parts by name, such as the hash of a file.
    pub parts: Vec<(String, Vec<u8>)>,
    /// Numbers that differ whenever a part was written meanwhile, even with the same content.
    pub times: Vec<i64>,
}

impl Surroundings {
    /// Returns a hash of all of it, which differs whenever something of it does.
    #[must_use]
    pub fn hash(&self) -> [u8; 32] {
        let mut hasher = blake3::Hasher::new();
        let count = |hasher: &mut blake3::Hasher, count: usize| {
            hasher.update(&(count as u64).to_le_bytes());
        };
        count(&mut hasher, self.parts.len());
        for (name, part) in &self.parts {
            for bytes in [name.as_bytes(), part] {
                count(&mut hasher, bytes.len());
                hasher.update(bytes);
            }
        }
        for time in &self.times {
            hasher.update(&time.to_le_bytes());
        }
        *hasher.finalize().as_bytes()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn different_surroundings_have_different_hashes() {
        let of = |parts: &[(&str, &str)], times: &[i64]| {
            let parts = parts.iter().map(|(name, part)| ((*name).to_owned(), part.as_bytes().to_vec()));
            Surroundings { parts: parts.collect(), times: times.to_vec() }.hash()
        };
        let one = of(&[("a", "bc"), ("d", "")], &[1, 2]);
        assert_eq!(one, of(&[("a", "bc"), ("d", "")], &[1, 2]));
        for other in [
            of(&[("a", "b"), ("cd", "")], &[1, 2]),
            of(&[("a", "bc")], &[1, 2]),
            of(&[("d", ""), ("a", "bc")], &[1, 2]),
            of(&[("a", "bc"), ("d", "")], &[1]),
            of(&[("a", "bc"), ("d", "")], &[2, 1]),
        ] {
            assert_ne!(one, other);
        }
    }
}
