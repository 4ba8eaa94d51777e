//! The descriptors between a plugin and the daemon.

/// The descriptor from which a plugin reads, and the one to which it writes.
pub(super) const DESCRIPTORS: [i32; 2] = [3, 4];

/// The descriptors on which a program speaks.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Channel {
    /// Descriptors of its own, beside its output.
    Own,
    /// Its stdin and stdout.
    Standard,
}

impl Channel {
    /// The words by which the guard knows it.
    const WORDS: [(&str, Self); 2] = [("own", Self::Own), ("standard", Self::Standard)];

    /// Returns its word.
    pub(super) fn word(self) -> &'static str {
        Self::WORDS.iter().find(|(_, it)| *it == self).map_or("", |(word, _)| word)
    }

    /// Returns the channel of a word.
    pub(super) fn of(word: &std::ffi::OsStr) -> Option<Self> {
        Self::WORDS.iter().find(|(it, _)| word == *it).map(|(_, channel)| *channel)
    }
}
