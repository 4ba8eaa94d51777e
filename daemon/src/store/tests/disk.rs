//! Full disks. Tests that need one run themselves again on a small file system.

use std::fs::File;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::Command;

use super::*;

const SMALL_DISK: &str = "FANLIGHT_TEST_SMALL_DISK";
const NO_MOUNT: i32 = 99;

/// Returns the folder of a small file system, in the process that has one. In another process, runs `test` in such a
/// process.
fn small_disk(test: &str, options: &str) -> Option<PathBuf> {
    if let Some(folder) = std::env::var_os(SMALL_DISK) {
        return Some(folder.into());
    }
    let folder = TempDir::new().unwrap();
    let script = format!("mount -t tmpfs -o {options} tmpfs \"$0\" || exit {NO_MOUNT}; exec \"$@\"");
    for namespace in [&["--mount"][..], &["--mount", "--user", "--map-root-user"]] {
        let ran = Command::new("unshare")
            .args(namespace)
            .args(["--", "sh", "-c", &script])
            .arg(folder.path())
            .arg(std::env::current_exe().unwrap())
            .args([test, "--exact", "--nocapture"])
            .env(SMALL_DISK, folder.path())
            .output();
        let Ok(ran) = ran else { break };
        let said = String::from_utf8_lossy(&ran.stdout);
        if said.contains("running 1 test") {
            assert!(ran.status.success(), "{said}{}", String::from_utf8_lossy(&ran.stderr));
            return None;
        }
    }
    fanlight_shared::testing::skip("no small file system can be mounted here");
    None
}

/// Fills the disk.
fn fill(folder: &Path) -> PathBuf {
    let path = folder.join("filler");
    let mut file = File::create(&path).unwrap();
    for size in [65536, 4096, 1] {
        while file.write_all(&vec![0; size]).is_ok() {}
    }
    path
}

/// Does the same without a separate file system, so that it runs everywhere: SQLite itself reports that it is full.
#[test]
fn a_full_database_refuses_requests_and_keeps_decisions() {
    let mut at = Fixture::new();
    let run = at.submit(1).remove(0);
    at.store.limit_pages(1);
    let submit = || at.try_commit(vec![Op::Submit(submission(50).into())]);
    let refused = std::iter::repeat_with(submit).take(1000).find_map(Result::err).unwrap();
    assert!(matches!(refused, StoreError::Full(_)), "{refused:?}");
    let decided: Vec<_> =
        (1..=300).map(|seq| write(&at.store, vec![event(run.id, seq), big(run.id, seq)], true)).collect();
    let outage = at.store.outage();
    wait_for("the outage has begun", || outage.borrow().is_some());
    assert!(!at.store.runs(&Default::default()).unwrap().rows.is_empty(), "reading goes on");
    assert!(at.store.failure().borrow().is_none(), "a full disk is no reason to end");
    at.store.limit_pages(u32::MAX - 1);
    for answer in decided {
        answer.recv().unwrap().unwrap();
    }
    wait_for("the outage is over", || outage.borrow().is_none());
    at.submit(1);
    at.reopen();
    let events = at.store.run(run.id).unwrap().events;
    assert!(events.iter().map(|event| event.seq).eq(1..=300), "in order, none lost");
}

#[test]
fn a_store_on_a_full_disk_closes_at_once() {
    let mut at = Fixture::new();
    let run = at.submit(1).remove(0);
    at.store.limit_pages(1);
    let decided: Vec<_> =
        (1..=300).map(|seq| write(&at.store, vec![event(run.id, seq), big(run.id, seq)], true)).collect();
    let outage = at.store.outage();
    wait_for("the outage has begun", || outage.borrow().is_some());
    at.store.close();
    let answers = decided.into_iter().map(|answer| answer.recv().unwrap().is_ok());
    let stored = answers.filter(|stored| *stored).count() as u64;
    at.reopen();
    let events = at.store.run(run.id).unwrap().events;
    assert!(events.iter().map(|event| event.seq).eq(1..=stored), "what was not stored was not acknowledged");
}

#[test]
fn a_long_value_is_stored_even_if_no_file_can_be_created_now() {
    let at = Fixture::new();
    let run = at.submit(1).remove(0);
    let blobs = at.store.blobs();
    // As the engine holds a list of many files: nothing in it is long by itself.
    let text = Value::List((0..5_000).map(|at| Value::from(format!("file {at}"))).collect());
    let ready = write(&at.store, vec![values(run.id, "sky", "list", text.clone())], true);
    ready.recv().unwrap().unwrap();
    let json = blobs.publish(serde_json::to_vec(&text).unwrap()).unwrap();
    blobs.set_full(true);
    let bodies = Bodies::from([("list".to_owned(), json)]);
    let (node, item) = ("again".to_owned(), ItemPath::WHOLE);
    let op = Op::Values {
        run: run.id,
        node,
        item,
        values: [("list".to_owned(), text.clone())].into(),
        bodies,
        cache_key: None,
    };
    at.commit(vec![op]);
    assert_eq!(at.store.port_value(run.id, "again", ItemPath::WHOLE, "list").unwrap(), Some(text));
}

#[test]
fn a_full_disk_refuses_requests_and_keeps_decisions() {
    let Some(folder) =
        small_disk("store::tests::disk::a_full_disk_refuses_requests_and_keeps_decisions", "size=8m")
    else {
        return;
    };
    let home = home(&folder);
    let store = Store::open(&home).unwrap();
    let submit = || commit(&store, vec![Op::Submit(submission(50).into())]);
    let run = submit().unwrap().submitted.unwrap().runs.remove(0);
    let filler = fill(&folder);
    // Allocated pages may still have some space.
    let refused = std::iter::repeat_with(submit).take(100).find_map(Result::err).unwrap();
    assert!(matches!(refused, StoreError::Full(_)), "{refused:?}");
    assert!(refused.to_string().contains(&home.database().display().to_string()), "{refused}");

    let decided: Vec<_> =
        (1..=300).map(|seq| write(&store, vec![event(run.id, seq), big(run.id, seq)], true)).collect();
    let outage = store.outage();
    wait_for("the outage has begun", || outage.borrow().is_some());
    assert!(matches!(submit(), Err(StoreError::Full(_))), "refused at once, although others wait");
    assert!(matches!(store.blobs().publish(large(1)), Err(StoreError::Full(_))));
    let listed = store.runs(&Default::default()).unwrap();
    assert!(!listed.rows.is_empty(), "reading goes on");

    std::fs::remove_file(filler).unwrap();
    for answer in decided {
        answer.recv().unwrap().unwrap();
    }
    wait_for("the outage is over", || store.outage().borrow().is_none());
    submit().unwrap();
    store.blobs().publish(large(1)).unwrap();
    drop(store);
    let store = Store::open(&home).unwrap();
    let events = store.run(run.id).unwrap().events;
    assert!(events.iter().map(|event| event.seq).eq(1..=300), "in order, none lost");
    assert_eq!(crate::doctor::check(&store, true).problems, Vec::<String>::new());
}

/// Returns an operation with a value that needs several pages.
fn big(run: RunId, seq: u64) -> Op {
    Op::Values {
        run,
        node: "sky".into(),
        item: ItemPath::item(seq as u32),
        values: Values::from([("text".to_owned(), Value::from("x".repeat(5000)))]),
        bodies: Bodies::new(),
        cache_key: None,
    }
}

#[test]
fn a_read_only_home_is_refused_with_a_reason() {
    let Some(folder) = small_disk("store::tests::disk::a_read_only_home_is_refused_with_a_reason", "ro")
    else {
        return;
    };
    let said = Store::open(&home(&folder)).err().unwrap().to_string();
    assert!(said.contains("read-only file system") && said.contains("FANLIGHT_HOME"), "{said}");
}
