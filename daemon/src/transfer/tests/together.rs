//! Imports at the same time, and imports that are cancelled.

use std::sync::Barrier;
use std::thread;

use super::super::import::read;
use super::super::refused::Refused;
use super::*;

#[test]
fn two_imports_of_an_archive_at_once_add_it_once_and_keep_its_logs() {
    let (files, _) = archive();
    let at = Fixture::new();
    let path = at.archive();
    fs::write(&path, packed(&files)).unwrap();
    let cancel = CancellationToken::new();
    // Both have found that the run is not here.
    let readings = [(); 2].map(|()| read(&at.store, &at.home, &path, &cancel).ok().unwrap());
    let barrier = Barrier::new(2);
    let outcomes = thread::scope(|scope| {
        let threads = readings.map(|reading| {
            scope.spawn(|| {
                barrier.wait();
                reading.finish(&cancel)
            })
        });
        threads.map(|thread| thread.join().unwrap())
    });
    let (added, refused): (Vec<_>, Vec<_>) = outcomes.into_iter().partition(Result::is_ok);
    assert_eq!((added.len(), refused.len()), (1, 1));
    let Some(Err(Refused::Archive(why))) = refused.into_iter().next() else { panic!("the other error") };
    assert_eq!(why, "holds poster#1, which was added here while the archive was read; import it again");
    let logs: Vec<_> = fs::read_dir(at.home.attempts()).unwrap().map(|it| it.unwrap().path()).collect();
    assert_eq!(logs.len(), 1);
    assert!(fs::read_to_string(logs[0].join("log")).unwrap().starts_with("the log of"));
    assert_eq!(at.imports(&files).unwrap().known, ["poster#1"]);
}

#[test]
fn an_import_that_is_cancelled_leaves_nothing() {
    let (files, _) = archive();
    let at = Fixture::new();
    fs::write(at.archive(), packed(&files)).unwrap();
    let cancel = CancellationToken::new();
    cancel.cancel();
    let outcome = import(&at.store, &at.home, &at.archive(), &cancel);
    assert_eq!(outcome.unwrap_err().to_string(), "the import was cancelled");
    at.has_nothing();
}

#[test]
fn an_import_that_is_cancelled_when_everything_is_read_leaves_nothing() {
    let (files, _) = archive();
    let mut at = Fixture::new();
    fs::write(at.archive(), packed(&files)).unwrap();
    let cancel = CancellationToken::new();
    let reading = read(&at.store, &at.home, &at.archive(), &cancel).ok().unwrap();
    cancel.cancel();
    assert!(matches!(reading.finish(&cancel), Err(Refused::Store(StoreError::Other(_)))));
    at.reopen();
    at.has_nothing();
}
