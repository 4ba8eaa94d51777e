//! What a command finds in its copy of a folder (`dir: { copy: … }`).

use std::fs::{self, File};
use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;

use rustix::fs::{Mode, OFlags};

use super::super::folder::sentence;
use super::super::separate;
use super::{Look, MAX_FILES};

impl Look<'_> {
    /// Adds everything that is copied. Times don't count, although a copy has them.
    pub(super) fn copied(&mut self, from: &Path, exclude: &[String]) -> Result<(), String> {
        let mut listing = separate::list(from, exclude, self.blobs).map_err(|error| error.to_string())?;
        if listing.files.len() + listing.links.len() + listing.folders.len() > MAX_FILES {
            return Err(format!(
                "there are more than {MAX_FILES} files to compare; leave some out by `exclude`"
            ));
        }
        let mode = |meta: &fs::Metadata| format!("{:o} ", meta.permissions().mode() & 0o777).into_bytes();
        listing.folders.sort_by(|one, other| one.0.cmp(&other.0));
        listing.files.sort();
        listing.links.sort();
        for (path, meta) in &listing.folders {
            self.add_at(path, [b"folder ", &*mode(meta)].concat());
        }
        for path in &listing.files {
            let whole = from.join(path);
            let unreadable = |error: &std::io::Error| sentence("can't read", &whole, error).to_string();
            let flags =
                OFlags::RDONLY | OFlags::NOFOLLOW | OFlags::NONBLOCK | OFlags::NOCTTY | OFlags::CLOEXEC;
            let file = rustix::fs::open(&whole, flags, Mode::empty());
            let file = File::from(file.map_err(|errno| unreadable(&errno.into()))?);
            let meta = file.metadata().map_err(|error| unreadable(&error))?;
            let hash = self.hash(&file, &whole)?;
            if let Some(repository) = separate::repository_outside(path, &whole) {
                return Err(outside(path, &repository));
            }
            self.add_at(path, [mode(&meta), hash].concat());
        }
        for path in &listing.links {
            let whole = from.join(path);
            let target =
                fs::read_link(&whole).map_err(|error| sentence("can't read", &whole, &error).to_string())?;
            if separate::leads_out(path, &target) {
                return Err(outside(path, &target));
            }
            self.add_at(path, [b"link ", target.as_os_str().as_encoded_bytes()].concat());
        }
        Ok(())
    }

    fn add_at(&mut self, path: &Path, part: Vec<u8>) {
        self.add(format!("copied {}", path.to_string_lossy()), part);
        // Names that differ only in what is not text stay apart.
        if path.to_str().is_none() {
            self.add("name".to_owned(), path.as_os_str().as_encoded_bytes().to_vec());
        }
    }
}

/// Returns why a folder with this can't be compared.
fn outside(path: &Path, target: &Path) -> String {
    format!(
        "`{}` leads out of the folder, to `{}`, and what is there is not compared; leave it out by `exclude`, or remove `remember`",
        separate::shown(path),
        separate::shown(target)
    )
}
