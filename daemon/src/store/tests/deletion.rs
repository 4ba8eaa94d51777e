//! Deletions, and what stays as long as something refers to it.

use super::*;

fn blob_path(at: &Fixture, asset: &Asset) -> std::path::PathBuf {
    at.store.blobs().path(asset.value.as_media().unwrap().hash)
}

fn value_of(at: &Fixture, run: &Run, node: &str) -> Option<Value> {
    at.store.run(run.id).unwrap().values.into_iter().find(|it| it.0 == node).unwrap().3
}

#[test]
fn bytes_are_deleted_with_their_last_reference() {
    let at = Fixture::new();
    let (one, two) = (at.ended(), at.ended());
    let (first, second) = (at.product(&one, "sky", &large(1)), at.product(&two, "sky", &large(1)));
    let path = blob_path(&at, &first);
    let gone = at.commit(vec![Op::DeleteAssets(vec![first.id])]);
    assert_eq!(gone.deleted_assets, [(one.workflow_id, first.id)]);
    assert_eq!(value_of(&at, &one, "sky"), None, "the value that it showed is not kept");
    assert!(path.exists(), "the other run shows the same bytes");
    assert_eq!(gone.deleted_blobs, []);
    let gone = at.commit(vec![Op::DeleteAssets(vec![second.id])]);
    assert!(!path.exists());
    assert_eq!(
        gone.deleted_blobs,
        [second.value.media()[0].hash],
        "its folder is synced before a caller is told"
    );
    assert!(matches!(at.store.blobs().read(first.value.media()[0].hash), Err(StoreError::NotFound(_))));
    assert!(matches!(at.try_commit(vec![Op::DeleteAssets(vec![second.id])]), Err(StoreError::NotFound(_))));
}

#[test]
fn bytes_stay_while_they_are_being_published() {
    let at = Fixture::new();
    let run = at.ended();
    let asset = at.product(&run, "sky", &large(1));
    let path = blob_path(&at, &asset);
    let (published, media) = at.picture(&large(1));
    at.commit(vec![Op::DeleteAssets(vec![asset.id])]);
    assert!(path.exists());
    let later = at.submit(1).remove(0);
    at.commit(vec![Op::Blob(published), values(later.id, "sky", "image", Value::from(media.clone()))]);
    assert_eq!(at.store.blobs().read(media.hash).unwrap(), large(1));
}

#[test]
fn uncommitted_bytes_are_deleted() {
    let at = Fixture::new();
    let (first, _) = at.picture(&large(9));
    let (second, _) = at.picture(&large(9));
    let path = at.store.blobs().path(first.hash);
    drop(first);
    at.commit(vec![]);
    assert!(path.exists(), "the second publication of the same bytes keeps them");
    drop(second);
    wait_for("the bytes are removed", || !path.exists());
}

#[test]
fn published_bytes_wait_for_a_later_batch_that_names_them() {
    let at = Fixture::new();
    let run = at.submit(1).remove(0);
    let (published, media) = at.picture(&large(3));
    at.commit(vec![Op::Blob(published)]);
    at.commit(vec![]);
    at.commit(vec![values(run.id, "sky", "image", Value::from(media.clone()))]);
    assert_eq!(at.store.blobs().read(media.hash).unwrap(), large(3));
}

#[test]
fn a_value_that_names_unknown_bytes_is_refused() {
    let at = Fixture::new();
    let run = at.submit(1).remove(0);
    let (published, media) = at.picture(b"never committed");
    drop(published);
    let error = at.try_commit(vec![values(run.id, "sky", "image", Value::from(media))]).unwrap_err();
    assert!(error.to_string().contains("not stored"), "{error}");
}

#[test]
fn small_bytes_are_read_before_their_commit() {
    let at = Fixture::new();
    let (published, media) = at.picture(b"small");
    assert_eq!(at.store.blobs().read(media.hash).unwrap(), b"small");
    assert_eq!(at.store.blobs().len(media.hash).unwrap(), 5);
    let mut part = at.store.blobs().open_part(media.hash, 2, 2).unwrap();
    assert_eq!(part.next(10).unwrap(), b"al");
    drop(published);
}

#[test]
fn the_leftovers_of_a_crash_are_removed_at_the_next_start() {
    let mut at = Fixture::new();
    // As after a killed daemon: published, marked, and never committed.
    let (published, _) = at.picture(&large(6));
    let file = at.store.blobs().path(published.hash);
    std::mem::forget(published);
    at.store.close();
    let broken_off = at.home.blobs().join("tmp/half");
    std::fs::write(&broken_off, b"half").unwrap();
    assert!(file.exists());
    at.reopen();
    assert!(!broken_off.exists());
    assert!(!file.exists());
}

#[test]
fn leftovers_whose_removal_can_not_be_synced_are_removed_at_a_later_start() {
    let mut at = Fixture::new();
    let (published, _) = at.picture(&large(6));
    let file = at.store.blobs().path(published.hash);
    std::mem::forget(published);
    at.store.close();
    let (folder, aside) = (file.parent().unwrap(), at.home.data.join("aside"));
    std::fs::rename(folder, &aside).unwrap();
    // A folder that can be neither opened nor synced.
    std::os::unix::fs::symlink(folder, folder).unwrap();
    at.reopen();
    at.store.close();
    // As after a power loss that brings the file back.
    std::fs::remove_file(folder).unwrap();
    std::fs::rename(&aside, folder).unwrap();
    assert!(file.exists());
    at.reopen();
    assert!(!file.exists());
}

#[test]
fn a_deleted_run_leaves_its_assets_and_their_recipes() {
    let at = Fixture::new();
    let run = at.ended();
    let asset = at.product(&run, "sky", &large(1));
    at.commit(vec![event(run.id, 1), values(run.id, "other", "text", Value::from("goes"))]);
    at.commit(vec![Op::DeleteRun { run: run.id, assets: false }]);
    assert!(at.store.run(run.id).is_err());
    assert!(at.store.runs(&Default::default()).unwrap().rows.is_empty());
    let detail = at.store.asset(&asset.id.to_string()).unwrap();
    assert_eq!(detail.asset, asset);
    assert_eq!(detail.recipe.params, run.params);
    assert_eq!(detail.recipe.label, run.label);
    at.commit(vec![Op::DeleteAssets(vec![asset.id])]);
    assert!(!blob_path(&at, &asset).exists());
    assert_eq!(at.submit(1)[0].number, 2);
    assert_eq!(crate::doctor::check(&at.store, true).problems, Vec::<String>::new());
}

#[test]
fn a_run_is_deleted_with_its_assets_if_asked() {
    let at = Fixture::new();
    let run = at.ended();
    let asset = at.product(&run, "sky", &large(1));
    let gone = at.commit(vec![Op::DeleteRun { run: run.id, assets: true }]);
    assert_eq!(gone.deleted_assets, [(run.workflow_id, asset.id)]);
    assert!(!blob_path(&at, &asset).exists());
    assert!(at.store.asset(&asset.id.to_string()).is_err());
}

#[test]
fn a_run_that_has_not_ended_is_not_deleted() {
    let at = Fixture::new();
    let run = at.submit(1).remove(0);
    let asset = at.product(&run, "sky", b"x");
    for op in [Op::DeleteRun { run: run.id, assets: true }, Op::DeleteAssets(vec![asset.id])] {
        let error = at.try_commit(vec![op]).unwrap_err().to_string();
        assert!(error.contains("poster#1") && error.contains("ended"), "{error}");
    }
    assert_eq!(at.store.asset(&asset.id.to_string()).unwrap().asset, asset);
}

#[test]
fn other_values_of_older_runs_are_not_kept() {
    let at = Fixture::new();
    let runs: Vec<Run> = (0..12).map(|_| at.ended()).collect();
    for run in &runs {
        at.product(run, "shown", &large(1));
        let (published, media) = at.picture(format!("{}{}", run.number, "x".repeat(99_999)).as_bytes());
        at.commit(vec![
            Op::Blob(published),
            values(run.id, "other", "image", Value::from(media)),
            values(run.id, "long", "text", Value::from("y".repeat(70_000 + run.number as usize))),
        ]);
    }
    let waiting = at.submit(1).remove(0);
    at.commit(vec![values(waiting.id, "other", "image", Value::from("runs on"))]);
    at.commit(vec![Op::Evict { run: runs[0].id, keep: 10 }]);
    for run in &runs {
        let kept = run.number > 2;
        assert_eq!(value_of(&at, run, "other").is_some(), kept, "{}", run.name());
        assert_eq!(value_of(&at, run, "long").is_some(), kept, "{}", run.name());
        assert!(value_of(&at, run, "shown").is_some(), "an asset shows it");
    }
    assert!(value_of(&at, &waiting, "other").is_some());
    assert_eq!(crate::doctor::check(&at.store, true).problems, Vec::<String>::new());
}

#[test]
fn a_folder_keeps_its_files_and_is_restored_completely() {
    use fanlight_shared::media::{DirEntry, DirManifest};
    use std::os::unix::fs::PermissionsExt;
    let at = Fixture::new();
    let run = at.ended();
    let (file, _) = at.picture(&large(5));
    let manifest = DirManifest {
        files: vec![DirEntry { path: "a/b.sh".into(), hash: file.hash, bytes: 100_000, executable: true }],
        folders: Vec::new(),
    };
    let (folder, mut media) = at.picture(&serde_json::to_vec(&manifest).unwrap());
    media.kind = MediaKind::Dir;
    let path = at.store.blobs().path(file.hash);
    let shown = asset(&run, "tree", Value::from(media.clone()));
    at.commit(vec![Op::Blob(file), Op::Blob(folder), Op::Asset(new_asset(&shown).into())]);
    let target = at.home.data.join("copy");
    at.store.blobs().materialise(&media, &target).unwrap();
    let copy = target.join("a/b.sh");
    assert_eq!(std::fs::read(&copy).unwrap(), large(5));
    assert_eq!(std::fs::metadata(&copy).unwrap().permissions().mode() & 0o777, 0o500);
    assert!(at.store.blobs().materialise(&media, &target).is_err(), "never over something");
    assert_eq!(crate::doctor::check(&at.store, true).problems, Vec::<String>::new());
    at.commit(vec![Op::DeleteAssets(vec![shown.id])]);
    assert!(!path.exists());
}

#[test]
fn a_folder_is_never_restored_outside_its_target() {
    let at = Fixture::new();
    for path in ["../out", "/out", "a/../../out", ""] {
        let manifest = format!(r#"{{"files":[{{"path":"{path}","hash":"{}","bytes":1}}]}}"#, "0".repeat(64));
        let (_keep, mut media) = at.picture(manifest.as_bytes());
        media.kind = MediaKind::Dir;
        let error = at.store.blobs().materialise(&media, &at.home.data.join("copy")).unwrap_err();
        assert!(error.to_string().contains("outside"), "{error}");
        assert!(!at.home.data.join("copy").exists());
    }
}
