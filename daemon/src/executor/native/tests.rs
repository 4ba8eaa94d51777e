//! Native nodes whose disk becomes full while they run.

use std::os::unix::ffi::OsStrExt as _;

use fanlight_shared::home::Home;
use fanlight_shared::run::AttemptEnd;
use fanlight_shared::value::{Value, Values};

use super::*;
use crate::command::fixture;
use crate::executor::{End, Signal, Work};
use crate::node_type::NodeTypes;
use crate::store::Store;

struct FullDisk {
    store: Store,
    native: NativeNodes,
    temp: tempfile::TempDir,
}

impl FullDisk {
    fn new() -> Self {
        let temp = tempfile::tempdir().unwrap();
        let home = Home::below(&temp.path().join("home")).unwrap();
        let store = Store::open(&home).unwrap();
        let native = NativeNodes {
            blobs: store.blobs().clone(),
            writable: Vec::new(),
            attempts: home.attempts(),
            #[cfg(feature = "http")]
            http: crate::http::Http::default(),
            #[cfg(feature = "llm")]
            providers: crate::llm::Providers::default(),
            #[cfg(feature = "llm")]
            mcp: Default::default(),
            #[cfg(feature = "llm")]
            child_runs: Default::default(),
            #[cfg(feature = "llm")]
            checker: Arc::new(crate::worker::InProcess(store.blobs().clone())),
        };
        store.blobs().set_full(true);
        Self { store, native, temp }
    }

    /// Returns an attempt that began before the disk was full.
    fn begun(&self, name: &str, inputs: &[(&str, Value)]) -> Box<dyn Execution> {
        let node_type = Arc::clone(NodeTypes::built_in().now().get(name).unwrap());
        let inputs: Values = inputs.iter().map(|(name, value)| ((*name).to_owned(), value.clone())).collect();
        self.native.open(fixture::attempt(), Arc::new(Work::Native(node_type, inputs)))
    }

    /// Returns a folder with a file whose name is not UTF-8, so that no value can name it: it is copied.
    fn uncommon_name(&self) -> Value {
        let folder = self.temp.path().join("folder");
        std::fs::create_dir(&folder).unwrap();
        let name = std::ffi::OsStr::from_bytes(b"long-\xff.txt");
        std::fs::write(folder.join(name), "x".repeat(200_000)).unwrap();
        folder.display().to_string().into()
    }

    async fn until_it_waits(&self) {
        let mut shortage = self.store.shortage();
        let why = shortage.wait_for(Option::is_some).await.unwrap().clone();
        assert!(why.unwrap().contains("is full"));
    }

    /// Returns the outcome of an attempt that waits for space and gets it.
    async fn with_space(&self, execution: Box<dyn Execution>) -> Outcome {
        let (end, ()) = tokio::join!(execution.wait(), async {
            self.until_it_waits().await;
            self.store.blobs().set_full(false);
        });
        assert_eq!(end, End::Ended);
        execution.collect().await
    }
}

#[tokio::test]
async fn a_listed_file_is_copied_once_the_full_disk_has_space_again() {
    let disk = FullDisk::new();
    let outcome = disk
        .with_space(disk.begun("file.list", &[("folder", disk.uncommon_name()), ("glob", "*".into())]))
        .await;
    assert_eq!((outcome.end, outcome.error), (AttemptEnd::Completed, None));
    assert_eq!((outcome.values["count"].as_int(), outcome.blobs.len()), (Some(1), 1));
}

#[tokio::test]
async fn a_very_long_text_is_made_once_the_full_disk_has_space_again() {
    let disk = FullDisk::new();
    let items: Vec<Value> = vec!["x".repeat(200_000).into(), "y".repeat(200_000).into()];
    let outcome =
        disk.with_space(disk.begun("text.join", &[("items", items.into()), ("separator", "".into())])).await;
    assert_eq!((outcome.end, outcome.error), (AttemptEnd::Completed, None));
    assert_eq!(outcome.values["text"].as_large().unwrap().bytes, 400_000);
}

#[tokio::test]
async fn a_stop_ends_the_wait_of_a_native_node_for_space() {
    let disk = FullDisk::new();
    let items: Vec<Value> = vec!["x".repeat(200_000).into(), "y".repeat(200_000).into()];
    for execution in [
        disk.begun("file.list", &[("folder", disk.uncommon_name()), ("glob", "*".into())]),
        disk.begun("text.join", &[("items", items.into()), ("separator", "".into())]),
    ] {
        let (end, _) = tokio::join!(execution.wait(), async {
            disk.until_it_waits().await;
            execution.signal(Signal::Stop).await
        });
        let outcome = execution.collect().await;
        assert_eq!((end, outcome.end, outcome.error), (End::Ended, AttemptEnd::Cancelled, None));
    }
}
