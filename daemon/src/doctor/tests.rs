use std::os::unix::fs::PermissionsExt;

use super::check;
use crate::store::tests::{Fixture, large, until};

#[test]
fn a_sound_store_has_no_problems() {
    let at = Fixture::new();
    let run = at.ended();
    at.product(&run, "sky", &large(1));
    at.product(&run, "small", b"small");
    let answer = check(&at.store, true);
    assert_eq!(answer.problems, Vec::<String>::new());
    assert_eq!(answer.checked.len(), 5, "{:?}", answer.checked);
}

#[test]
fn a_missing_file_is_named() {
    let at = Fixture::new();
    let run = at.ended();
    let asset = at.product(&run, "sky", &large(1));
    std::fs::remove_file(at.store.blobs().path(asset.value.as_media().unwrap().hash)).unwrap();
    let problems = check(&at.store, false).problems;
    assert_eq!(problems.len(), 1, "{problems:?}");
    assert!(problems[0].contains("is missing"), "{problems:?}");
}

#[test]
fn changed_bytes_are_found_by_size_or_by_reading() {
    let at = Fixture::new();
    let run = at.ended();
    let hash = |asset: fanlight_shared::asset::Asset| asset.value.as_media().unwrap().hash;
    let longer = hash(at.product(&run, "longer", &large(1)));
    let other = hash(at.product(&run, "other", &large(2)));
    std::fs::write(at.store.blobs().path(longer), vec![1; 100_001]).unwrap();
    std::fs::write(at.store.blobs().path(other), large(3)).unwrap();
    assert_eq!(check(&at.store, false).problems.len(), 1);
    assert_eq!(check(&at.store, true).problems.len(), 2);
}

#[test]
fn files_that_nothing_names_go() {
    let at = Fixture::new();
    let (published, _) = at.picture(&large(7));
    let path = at.store.blobs().path(published.hash);
    assert!(check(&at.store, false).problems.is_empty());
    assert!(path.exists(), "what is being published stays");
    let copy = at.home.blobs().join("aa");
    std::fs::create_dir_all(&copy).unwrap();
    let orphan = copy.join("0".repeat(62));
    std::fs::write(&orphan, b"left over").unwrap();
    let answer = check(&at.store, false);
    assert!(answer.checked.iter().any(|line| line.contains("1 removed")), "{:?}", answer.checked);
    until("the orphan is removed", || !orphan.exists());
    assert!(path.exists());
}

#[test]
fn what_others_may_read_is_told() {
    let at = Fixture::new();
    std::fs::set_permissions(at.home.database(), std::fs::Permissions::from_mode(0o644)).unwrap();
    let problems = check(&at.store, false).problems;
    assert_eq!(problems.len(), 1, "{problems:?}");
    assert!(problems[0].contains("chmod 600"), "{problems:?}");
}

#[test]
fn a_name_without_bytes_is_told() {
    let at = Fixture::new();
    let run = at.ended();
    at.product(&run, "sky", b"small");
    at.tamper("DELETE FROM blob");
    let problems = check(&at.store, false).problems;
    assert!(problems.iter().any(|line| line.contains("which are not stored")), "{problems:?}");
}
