//! Homes that can't be used, and the permissions of those that can.

use std::os::unix::fs::PermissionsExt;

use super::*;

fn error(home: &Home) -> String {
    Store::open(home).err().unwrap().to_string()
}

#[test]
fn a_newer_database_is_refused_untouched() {
    let at = Fixture::new();
    at.store.close();
    at.tamper("PRAGMA user_version = 99");
    let refused = Store::open(&at.home).err().unwrap();
    assert!(matches!(refused, StoreError::Newer { found: 99, .. }), "{refused}");
}

#[test]
fn a_home_below_a_file_is_refused_with_a_reason() {
    let folder = TempDir::new().unwrap();
    std::fs::write(folder.path().join("home"), b"a file").unwrap();
    let said = error(&home(folder.path()));
    assert!(said.contains("is a file, not a folder") && said.contains("FANLIGHT_HOME"), "{said}");
}

#[test]
fn a_file_that_is_not_a_database_is_refused_and_kept() {
    let folder = TempDir::new().unwrap();
    let home = home(folder.path());
    std::fs::create_dir_all(&home.data).unwrap();
    let text = b"some text that is long enough to be no database of any kind ".repeat(20);
    std::fs::write(home.database(), &text).unwrap();
    let said = error(&home);
    assert!(said.contains("is not a Fanlight database"), "{said}");
    assert_eq!(std::fs::read(home.database()).unwrap(), text);
}

#[test]
fn an_orderly_end_leaves_one_file_with_everything_in_it() {
    let mut at = Fixture::new();
    let run = at.ended();
    let beside = |ending: &str| std::path::PathBuf::from(format!("{}{ending}", at.home.database().display()));
    let (log, index) = (beside("-wal"), beside("-shm"));
    // A read, so that a connection stays open besides the writer's.
    at.store.listed(run.id).unwrap();
    assert!(log.exists());
    let blobs = at.store.blobs().clone();
    at.store.close();
    assert!(!log.exists() && !index.exists());
    assert!(at.store.listed(run.id).is_err(), "what is closed opens nothing again");
    drop(blobs);
    at.reopen();
    assert_eq!(at.store.listed(run.id).unwrap().id, run.id);
}

#[test]
fn the_files_of_the_store_are_private() {
    let at = Fixture::new();
    let run = at.ended();
    let asset = at.product(&run, "sky", &large(1));
    let mode = |path: &std::path::Path| std::fs::metadata(path).unwrap().permissions().mode() & 0o777;
    let blob = at.store.blobs().path(asset.value.as_media().unwrap().hash);
    for folder in [&at.home.data, &at.home.blobs(), blob.parent().unwrap()] {
        assert_eq!(mode(folder), 0o700, "{}", folder.display());
    }
    let beside = |ending: &str| std::path::PathBuf::from(format!("{}{ending}", at.home.database().display()));
    for file in [at.home.database(), beside("-wal"), beside("-shm"), blob] {
        assert_eq!(mode(&file), 0o600, "{}", file.display());
    }
}

/// SQLite builds a temporary table for each `IN (…)` with more than two values in the condition of an index, whenever it
/// writes a row.
#[test]
fn writing_a_row_builds_no_temporary_table() {
    let at = Fixture::new();
    let db = Connection::open(at.home.database()).unwrap();
    for write in [
        "UPDATE run SET status = 3, evicted = 1 WHERE key = 1",
        "INSERT INTO event (run, seq, body) VALUES (1, 1, '')",
        "INSERT INTO value (run, node, item, port) VALUES (1, 'sky', -1, 'image')",
        "INSERT INTO asset DEFAULT VALUES",
    ] {
        let mut program = db.prepare(&format!("EXPLAIN {write}")).unwrap();
        let codes = program.query_map([], |row| row.get::<_, String>(1)).unwrap();
        assert!(!codes.map(Result::unwrap).any(|code| code == "OpenEphemeral"), "{write}");
    }
}
