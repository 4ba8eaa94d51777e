//! Takes the newest copy of a file that a command appends to. The file that is read here stays the same one while it only grows,
//! as on the machine of the command: who reads it goes on where it was.

use std::fs::File;
use std::io::{self, BufReader, Read, Seek as _, SeekFrom};
use std::path::Path;

use crate::rooted::{Refusal, open_own};

/// Takes the file of this name that arrived in a folder. Blocks.
///
/// # Errors
/// The disk is full, or something is no file.
pub(super) fn merge(arrived: &Path, folder: &Path, name: &str) -> io::Result<()> {
    let Some(mut new) = open(arrived, name)? else { return Ok(()) };
    if !folder.is_dir() {
        // It was removed meanwhile.
        return Ok(());
    }
    let Some(old) = open(folder, name)? else { return replace(&new, folder, name) };
    let (new_length, old_length) = (new.metadata()?.len(), old.metadata()?.len());
    if new_length < old_length || !begins_with(&mut new, &old, old_length)? {
        return replace(&new, folder, name);
    }
    if new_length > old_length {
        new.seek(SeekFrom::Start(old_length))?;
        let mut old = File::options().append(true).open(folder.join(name))?;
        io::copy(&mut new, &mut old)?;
    }
    Ok(())
}

fn open(folder: &Path, name: &str) -> io::Result<Option<File>> {
    match open_own(folder, name) {
        Err(Refusal::Absent) => Ok(None),
        opened => opened.map(Some).map_err(|refusal| io::Error::other(refusal.to_string())),
    }
}

/// Returns whether a file begins with another one.
fn begins_with(new: &mut File, old: &File, length: u64) -> io::Result<bool> {
    new.seek(SeekFrom::Start(0))?;
    let (mut new, mut old) = (BufReader::new(new.take(length)), BufReader::new(old.take(length)));
    let (mut one, mut other) = (vec![0; 64 << 10], vec![0; 64 << 10]);
    let mut left = length;
    while left > 0 {
        let count = usize::try_from(left).unwrap_or(usize::MAX).min(one.len());
        new.read_exact(&mut one[..count])?;
        old.read_exact(&mut other[..count])?;
        if one[..count] != other[..count] {
            return Ok(false);
        }
        left -= count as u64;
    }
    Ok(true)
}

/// Puts a copy of a file in the place of another one.
fn replace(new: &File, folder: &Path, name: &str) -> io::Result<()> {
    let mut new = new;
    new.seek(SeekFrom::Start(0))?;
    let mut copy = tempfile::NamedTempFile::new_in(folder)?;
    io::copy(&mut new, &mut copy)?;
    copy.persist(folder.join(name)).map_err(|error| error.error)?;
    Ok(())
}

#[cfg(test)]
mod tests {
    use std::fs;
    use std::os::unix::fs::MetadataExt as _;

    use super::*;

    #[test]
    fn a_file_that_grew_stays_the_same_one_and_a_replaced_one_does_not() {
        let (from, to) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
        let here = to.path().join("events");
        let take = |text: &str| {
            fs::write(from.path().join("events"), text).unwrap();
            merge(from.path(), to.path(), "events").unwrap();
            assert_eq!(fs::read_to_string(&here).unwrap(), text);
            fs::metadata(&here).unwrap().ino()
        };
        merge(from.path(), to.path(), "events").unwrap();
        assert!(!here.exists());
        let first = take("one\n");
        assert_eq!(take("one\ntwo\n"), first);
        assert_eq!(take("one\ntwo\n"), first);
        assert_ne!(take("eno\ntwo\nthree\n"), first);
        take("three\n");
    }
}
