//! Archives that somebody made, that were cut off, or for which there is no room.

use fanlight_shared::id::BlobHash;

use super::*;

#[test]
fn what_no_export_writes_is_refused_and_leaves_nothing() {
    let (good, run) = archive();
    let blob = good.iter().position(|file| file.name.starts_with("blobs/")).unwrap();
    let log = good.iter().position(|file| file.name.starts_with("logs/")).unwrap();
    let with = |file: File| {
        let mut files = good.clone();
        files.push(file);
        files
    };
    let of_kind = |name: &str, kind| with(File { kind, ..File::new(name, "") });
    let changed = |by: &dyn Fn(&mut Vec<File>)| {
        let mut files = good.clone();
        by(&mut files);
        files
    };
    let cases: Vec<(Vec<File>, &str)> = vec![
        (with(File::new("../up", "x")), "holds `../up`, which no export writes"),
        (with(File::new("/etc/passwd", "x")), "holds `/etc/passwd`, which no export writes"),
        (with(File::new("blobs/../../up", "x")), "which no export writes"),
        (of_kind("blobs/link", tar::EntryType::Symlink), "which is a link"),
        (of_kind(&good[blob].name, tar::EntryType::Link), "which is a link"),
        (of_kind("logs", tar::EntryType::Directory), "which is a folder"),
        (of_kind("null", tar::EntryType::Char), "which is a device"),
        (of_kind("long", tar::EntryType::GNULongName), "which is not a regular file"),
        (of_kind("pax", tar::EntryType::XHeader), "which is not a regular file"),
        (with(good[0].clone()), "has two manifests"),
        (with(good[1].clone()), "is not what the manifest says"),
        (with(good[blob].clone()), "or some twice"),
        (with(good[log].clone()), "longer logs than the manifest announces"),
        (with(File::new(&format!("blobs/{}", BlobHash::of(b"x")), "x")), "holds other bytes than"),
        (good[1..].to_vec(), "is not an archive of runs"),
        (changed(&|files| drop(files.remove(blob))), "is cut off"),
        (changed(&|files| drop(files.remove(log))), "is cut off"),
        (
            changed(&|files| files.retain(|file| file.name != run && !file.name.starts_with("logs/"))),
            "is cut off: it lacks poster#1",
        ),
        (changed(&|files| files[blob].bytes[0] ^= 1), "are others"),
        (
            changed(&|files| files[log].name = format!("logs/{}/log", AttemptId::new())),
            "none of its runs has",
        ),
        (changed(&|files| manifest(files, |it| it["format"] = json!(3))), "has the format 3"),
        (changed(&|files| manifest(files, |it| it["runs"][0]["assets"] = json!(2))), "has not the parts"),
        (changed(&|files| manifest(files, |it| it["runs"] = json!([]))), "is not what the manifest says"),
        (changed(&|files| files[0].bytes = b"{}".to_vec()), "is not an archive of runs"),
        (
            changed(&|files| change(files, &run, 0, |it| it["run"]["run"]["state"] = json!("failed"))),
            "is not the run",
        ),
        (
            changed(&|files| change(files, &run, 0, |it| it["run"]["run"]["error"] = json!("x"))),
            "another state",
        ),
        (
            changed(&|files| change(files, &run, 0, |it| it["run"]["run"]["number"] = json!(2))),
            "is not the run",
        ),
        (changed(&|files| change(files, &run, 1, |it| it["event"]["seq"] = json!(2))), "lacks its event 1"),
        (changed(&|files| change(files, &run, 1, |it| it["event"] = json!({"type": "x"}))), "can't be read"),
        (
            changed(&|files| {
                change(files, "shared.ndjson", 0, |it| it["version"]["document"] = json!("nodes: {}"))
            }),
            "is not the one that it names",
        ),
        (
            changed(&|files| change(files, "shared.ndjson", 1, |it| it["workflow"]["slug"] = json!("../x"))),
            "other characters than names have",
        ),
        (
            changed(&|files| change(files, "shared.ndjson", 2, |it| it["sweep"]["name"] = json!("a b"))),
            "a damaged sweep",
        ),
    ];
    for (files, expected) in cases {
        let at = Fixture::new();
        let says = refusal(&at, at.imports(&files));
        assert!(says.contains(expected), "{expected}: {says}");
        at.has_nothing();
    }
}

#[test]
fn an_archive_that_is_cut_off_anywhere_is_refused() {
    let (good, _) = archive();
    let whole = packed(&good);
    let at = Fixture::new();
    for part in 0..30 {
        let says = refusal(&at, at.imports_bytes(&whole[..whole.len() * part / 30]));
        assert!(says.starts_with("`it` is"), "{says}");
    }
    at.has_nothing();
    let mut more = whole.clone();
    more.extend(compressed(b"more"));
    assert!(refusal(&at, at.imports_bytes(&more)).contains("has something after its end"));
    at.has_nothing();
    at.imports_bytes(&whole).unwrap();
}

#[test]
fn an_archive_that_is_larger_than_the_disk_is_refused_before_it_is_read() {
    let (mut files, _) = archive();
    manifest(&mut files, |it| it["blobs"]["bytes"] = json!(1_u64 << 60));
    let at = Fixture::new();
    let says = refusal(&at, at.imports(&files[..1]));
    assert!(says.contains("the archive holds 1152921504"), "{says}");
    at.has_nothing();
}

#[test]
fn a_full_disk_leaves_the_home_as_it_was() {
    let (files, _) = archive();
    let at = Fixture::new();
    at.store.blobs().set_full(true);
    assert!(matches!(at.imports(&files), Err(StoreError::Full(_))));
    at.has_nothing();
    at.store.blobs().set_full(false);
    at.imports(&files).unwrap();
}

#[test]
fn the_same_run_with_other_content_is_refused() {
    let (mut files, run) = archive();
    let at = Fixture::new();
    at.imports(&files).unwrap();
    change(&mut files, &run, 2, |it| it["event"]["at"] = json!(3));
    let says = refusal(&at, at.imports(&files));
    assert!(says.contains("which has the id of poster#1 here, but other content"), "{says}");
}

#[test]
fn a_run_whose_assets_stayed_is_left_out_until_these_are_deleted() {
    let one = Fixture::new();
    let runs = one.sweep(2);
    for run in &runs {
        one.completes(run, &large(1));
    }
    let files = one.exported(&ids(&runs));
    let at = Fixture::new();
    let first = at.imports(&one.exported(&[runs[0].id])).unwrap().imported.runs[0].id;
    at.commit(vec![Op::DeleteRun { run: first, assets: false }]);
    let outcome = at.imports(&files).unwrap();
    assert_eq!((outcome.left_out, outcome.imported.runs.len()), (vec!["poster#1".to_owned()], 1));
    let outcome = at.imports(&files).unwrap();
    assert_eq!((outcome.left_out.len(), outcome.known.len(), outcome.imported.runs.len()), (1, 1, 0));
    let assets = at.store.assets(&Default::default()).unwrap().rows;
    let stayed = assets.iter().filter(|asset| asset.run_id == first).map(|asset| asset.id);
    at.commit(vec![Op::DeleteAssets(stayed.collect())]);
    assert_eq!(at.imports(&files).unwrap().imported.runs[0].was, "poster#1");
}

#[test]
fn a_full_database_leaves_the_home_as_it_was() {
    let one = Fixture::new();
    let runs = one.sweep(40);
    for (fill, run) in runs.iter().enumerate() {
        one.completes(run, &large(fill as u8));
    }
    let files = one.exported(&ids(&runs));
    let mut at = Fixture::new();
    at.store.limit_pages(1);
    assert!(matches!(at.imports(&files), Err(StoreError::Full(_))));
    at.store.limit_pages(u32::MAX - 1);
    // Bytes that were stored before are removed by the next daemon.
    at.reopen();
    at.has_nothing();
    assert_eq!(at.imports(&files).unwrap().imported.runs.len(), 40);
    at.reopen();
    assert_eq!(at.store.run(runs[39].id).unwrap().events.len(), 4);
}
