//! What results depend on besides the work that makes them.

/// What the result of a work depends on besides the work itself, at one moment.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Surroundings {
    /// Its parts by name, such as the hash of a file.
    pub parts: Vec<(String, Vec<u8>)>,
    /// Numbers that differ whenever a part was written meanwhile, even with the same content.
    pub times: Vec<i64>,
}
