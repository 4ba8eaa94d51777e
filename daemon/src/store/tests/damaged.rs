//! Bytes that changed on the disk give an error that names their owner, never wrong bytes.

use super::*;

/// Returns a product whose file was replaced.
fn damaged(at: &Fixture, bytes: &[u8]) -> (Run, Asset) {
    let run = at.ended();
    let asset = at.product(&run, "sky", &large(1));
    std::fs::write(path(at, &asset), bytes).unwrap();
    (run, asset)
}

fn hash(asset: &Asset) -> fanlight_shared::id::BlobHash {
    asset.value.as_media().unwrap().hash
}

fn path(at: &Fixture, asset: &Asset) -> std::path::PathBuf {
    at.store.blobs().path(hash(asset))
}

fn names(error: &StoreError, run: &Run, asset: &Asset) {
    let said = error.to_string();
    assert!(matches!(error, StoreError::Damaged { .. }), "{error:?}");
    assert!(said.contains(&asset.id.to_string()) && said.contains(&run.name()), "{said}");
}

#[test]
fn a_file_of_another_size_is_refused_when_it_is_opened() {
    let at = Fixture::new();
    let (run, asset) = damaged(&at, b"short");
    let blobs = at.store.blobs();
    names(&blobs.open_blob(hash(&asset)).err().unwrap(), &run, &asset);
    names(&blobs.read(hash(&asset)).unwrap_err(), &run, &asset);
}

#[test]
fn reading_wrong_bytes_of_the_right_size_ends_in_an_error() {
    let at = Fixture::new();
    let (run, asset) = damaged(&at, &large(2));
    let blobs = at.store.blobs();
    names(&blobs.read(hash(&asset)).unwrap_err(), &run, &asset);
    let mut reader = blobs.open_blob(hash(&asset)).unwrap();
    reader.next(60_000).unwrap();
    names(&reader.next(60_000).unwrap_err(), &run, &asset);
    let part = blobs.open_part(hash(&asset), 10, 10);
    names(&part.err().unwrap(), &run, &asset);
}

#[test]
fn a_part_of_undamaged_bytes_can_be_read() {
    let at = Fixture::new();
    let run = at.ended();
    let asset = at.product(&run, "sky", &large(1));
    for _ in 0..2 {
        let mut part = at.store.blobs().open_part(hash(&asset), 99_990, 100).unwrap();
        assert_eq!(part.left(), 10);
        assert_eq!(part.next(100).unwrap(), [1; 10]);
    }
    std::fs::write(path(&at, &asset), large(2)).unwrap();
    let part = at.store.blobs().open_part(hash(&asset), 99_990, 100);
    assert!(part.is_err(), "what was verified before is verified again when it was written since");
}

#[test]
fn a_command_never_gets_damaged_bytes() {
    let at = Fixture::new();
    let (run, asset) = damaged(&at, &large(2));
    let target = at.home.data.join("copy");
    let media = asset.value.as_media().unwrap();
    names(&at.store.blobs().materialise(media, &target).unwrap_err(), &run, &asset);
    assert!(!target.exists());
    let left = std::fs::read_dir(&at.home.data).unwrap().flatten();
    assert!(left.into_iter().all(|entry| !entry.file_name().to_string_lossy().starts_with(".fanlight")));
}

#[test]
fn making_the_same_bytes_again_repairs_the_file() {
    let at = Fixture::new();
    let (_, asset) = damaged(&at, &large(2));
    let (published, _) = at.picture(&large(1));
    assert_eq!(at.store.blobs().read(published.hash).unwrap(), large(1));
    assert_eq!(crate::doctor::check(&at.store, true).problems, Vec::<String>::new());
    assert_eq!(hash(&asset), published.hash);
}

#[test]
fn a_damaged_long_value_is_an_error_that_names_it() {
    let at = Fixture::new();
    let run = at.ended();
    let text = Value::from("x".repeat(200_000));
    at.commit(vec![values(run.id, "text", "text", text.clone())]);
    let json = serde_json::to_vec(&text).unwrap();
    let file = at.store.blobs().path(fanlight_shared::id::BlobHash::of(&json));
    std::fs::write(&file, "\"y\"").unwrap();
    let error = at.store.run(run.id).unwrap_err().to_string();
    assert!(error.contains(&format!("the value `text.text` of {}", run.name())), "{error}");
}

#[test]
fn damaged_small_bytes_in_the_database_are_found_too() {
    let at = Fixture::new();
    let run = at.ended();
    let asset = at.product(&run, "sky", b"small");
    at.tamper("UPDATE blob SET inline = x'736d616c6d'");
    names(&at.store.blobs().read(hash(&asset)).unwrap_err(), &run, &asset);
}
