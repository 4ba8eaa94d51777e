//! Paths within archives.

/// The longest path, in bytes.
const MAX_PATH_BYTES: usize = 1_000;

/// Checks the path of a file within an archive: on no system does it lead anywhere but below the folder into which the
/// archive is unpacked.
///
/// # Errors
/// What is wrong with it, in words that follow "it".
pub(super) fn check(path: &str) -> Result<(), &'static str> {
    let mut parts = path.split('/');
    if path.len() > MAX_PATH_BYTES {
        return Err("is too long");
    }
    if path.chars().any(char::is_control) {
        return Err("contains a control character");
    }
    if path.contains('\\') {
        return Err("contains a backslash");
    }
    if matches!(path.as_bytes(), [letter, b':', ..] if letter.is_ascii_alphabetic()) {
        return Err("begins with a drive letter");
    }
    if path.starts_with('/') || parts.clone().any(|part| part == "..") {
        return Err("leads out of the archive");
    }
    if parts.any(|part| part.is_empty() || part == ".") {
        return Err("has an empty part");
    }
    Ok(())
}
