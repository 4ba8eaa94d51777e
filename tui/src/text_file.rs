//! Reads text files that the user names, up to a limit.

use std::fs::File;
use std::io::Read as _;
use std::path::Path;

/// The maximum size of a param's text file, in bytes.
pub(crate) const MAX_TEXT_BYTES: u64 = 16 << 20;

/// Reads a text file of at most `limit` bytes.
///
/// # Errors
/// A sentence: the file doesn't exist, is a folder or a device, is too long, or isn't text.
pub(crate) fn read(path: &Path, limit: u64) -> Result<String, String> {
    let shown = path.display();
    let failed = |error: std::io::Error| match error.kind() {
        std::io::ErrorKind::NotFound => format!("there is no file `{shown}`"),
        std::io::ErrorKind::IsADirectory => format!("`{shown}` is a folder, not a file"),
        _ => format!("`{shown}` can't be read: {error}"),
    };
    let meta = path.metadata().map_err(failed)?;
    if meta.is_dir() {
        return Err(format!("`{shown}` is a folder, not a file"));
    }
    // A pipe may block for ever, and a device may never end.
    if !meta.is_file() {
        return Err(format!("`{shown}` is not a regular file"));
    }
    let mut bytes = Vec::new();
    File::open(path).and_then(|file| file.take(limit + 1).read_to_end(&mut bytes)).map_err(failed)?;
    if bytes.len() as u64 > limit {
        return Err(format!("`{shown}` is longer than {} MiB", limit >> 20));
    }
    String::from_utf8(bytes).map_err(|_| format!("`{shown}` is not text (not UTF-8)"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_link_to_a_device_is_refused_and_a_long_file_is_not_read_whole() {
        let folder = tempfile::tempdir().unwrap();
        let file = |name: &str| folder.path().join(name);
        std::os::unix::fs::symlink("/dev/zero", file("zero.yaml")).unwrap();
        assert!(read(&file("zero.yaml"), 10).unwrap_err().contains("not a regular file"));
        std::fs::write(file("long"), "x".repeat((1 << 20) + 1)).unwrap();
        assert!(read(&file("long"), 1 << 20).unwrap_err().contains("longer than 1 MiB"));
        assert_eq!(read(&file("long"), 2 << 20).map(|text| text.len()), Ok((1 << 20) + 1));
        assert!(read(folder.path(), 10).unwrap_err().contains("is a folder"));
        assert!(read(&file("gone"), 10).unwrap_err().contains("no file"));
    }
}
