//! Files of the user that media refers to: read where they are, and never taken for what they were once.

use std::fs;
use std::path::Path;

use fanlight_shared::media::Media;

use super::*;
use crate::media;

fn referred(at: &Fixture, path: &Path) -> Media {
    let (media, blob) = media::refer(at.store.blobs(), fs::File::open(path).unwrap(), path, "a.txt").unwrap();
    assert!(blob.is_none(), "it is not copied");
    media
}

/// Returns the bytes or the error that a reader gets.
fn read(at: &Fixture, folder: &Path, media: &Media) -> Result<Vec<u8>, String> {
    let target = folder.join("copy");
    let _ = fs::remove_file(&target);
    let copied = at.store.blobs().materialise(media, &target).map_err(|error| error.to_string());
    assert_eq!(copied.is_ok(), target.exists(), "nothing half is left");
    copied.map(|()| fs::read(target).unwrap())
}

#[test]
fn a_file_of_the_user_is_read_as_it_was_listed_or_named_in_an_error() {
    let (at, folder) = (Fixture::new(), tempfile::tempdir().unwrap());
    let path = folder.path().join("a.txt");
    fs::write(&path, large(1)).unwrap();
    let media = referred(&at, &path);
    assert_eq!(media.bytes, large(1).len() as u64);
    assert_eq!(read(&at, folder.path(), &media), Ok(large(1)));
    assert_eq!(
        fs::read_dir(at.home.blobs()).unwrap().flatten().filter(|it| it.file_name().len() == 2).count(),
        0
    );

    let says = |what: &str| {
        let error = read(&at, folder.path(), &media).unwrap_err();
        assert!(
            error.contains(what) && error.contains("a.txt has changed since this run first read it"),
            "{error}"
        );
        assert!(error.contains("`fanlight resume`"), "{error}");
    };
    let times = fs::File::open(&path).unwrap().metadata().unwrap().modified().unwrap();
    fs::write(&path, large(2)).unwrap();
    fs::File::options().write(true).open(&path).unwrap().set_modified(times).unwrap();
    says("its content is different");
    fs::write(&path, b"short").unwrap();
    says("it has 5 bytes instead of");
    fs::remove_file(&path).unwrap();
    says("it no longer exists");
    let status = std::process::Command::new("mkfifo").arg(&path).status().unwrap();
    assert!(status.success());
    says("it is no longer a regular file");
    fs::remove_file(&path).unwrap();
    let elsewhere = folder.path().join("elsewhere");
    fs::write(&elsewhere, large(1)).unwrap();
    std::os::unix::fs::symlink(&elsewhere, &path).unwrap();
    says("it is a link now");
    fs::remove_file(&path).unwrap();
    fs::create_dir(&path).unwrap();
    says("it is no longer a regular file");
    fs::remove_dir(&path).unwrap();
    fs::rename(&elsewhere, &path).unwrap();
    assert_eq!(read(&at, folder.path(), &media), Ok(large(1)), "put back, it is what it was");
}

#[test]
fn a_copy_in_the_store_outlives_the_file() {
    let (at, folder) = (Fixture::new(), tempfile::tempdir().unwrap());
    let path = folder.path().join("a.txt");
    fs::write(&path, large(1)).unwrap();
    let media = referred(&at, &path);
    let source = media.source.clone().unwrap();
    let run = at.submit(1).remove(0);
    let published = at.store.blobs().copy_source(&media, &source).unwrap();
    let kept = Media { source: None, ..media.clone() };
    at.commit(vec![Op::Blob(published), values(run.id, "list", "file", Value::from(kept))]);
    fs::remove_file(&path).unwrap();
    assert_eq!(read(&at, folder.path(), &media), Ok(large(1)));
    fs::write(&path, large(2)).unwrap();
    let error = at.store.blobs().copy_source(&media, &source).unwrap_err().to_string();
    assert!(error.contains("its content is different"), "{error}");
}

#[test]
fn a_value_that_names_a_file_of_the_user_needs_no_bytes_in_the_store() {
    let (at, folder) = (Fixture::new(), tempfile::tempdir().unwrap());
    let path = folder.path().join("a.txt");
    fs::write(&path, large(1)).unwrap();
    let media = Value::from(referred(&at, &path));
    let run = at.submit(1).remove(0);
    at.commit(vec![values(run.id, "list", "file", media.clone())]);
    assert_eq!(at.store.port_value(run.id, "list", ItemPath::WHOLE, "file").unwrap(), Some(media));
    assert_eq!(crate::doctor::check(&at.store, true).problems, Vec::<String>::new());
}

#[test]
fn a_file_with_only_a_new_time_is_unchanged() {
    let (at, folder) = (Fixture::new(), tempfile::tempdir().unwrap());
    let path = folder.path().join("a.txt");
    fs::write(&path, large(1)).unwrap();
    let media = referred(&at, &path);
    let source = media.source.clone().unwrap();
    let is_unchanged = || at.store.blobs().is_unchanged(&media, &source);
    assert!(is_unchanged());
    let file = fs::File::options().write(true).open(&path).unwrap();
    file.set_modified(std::time::SystemTime::UNIX_EPOCH).unwrap();
    assert!(is_unchanged());
    fs::write(&path, large(2)).unwrap();
    assert!(!is_unchanged());
}
