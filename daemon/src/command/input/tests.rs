use std::cell::RefCell;
use std::ffi::OsStr;

use fanlight_shared::home::Home;
use fanlight_shared::id::BlobHash;
use fanlight_shared::media::MediaKind;

use super::*;
use crate::store::Store;
use crate::store::blob::Published;

struct Fixture {
    temp: tempfile::TempDir,
    store: Store,
    /// Holding it keeps its unreferenced bytes.
    held: RefCell<Vec<Published>>,
}

fn fixture() -> Fixture {
    let temp = tempfile::tempdir().unwrap();
    let store = Store::open(&Home::below(&temp.path().join("home")).unwrap()).unwrap();
    Fixture { temp, store, held: RefCell::default() }
}

impl Fixture {
    fn folder(&self) -> PathBuf {
        self.temp.path().join("inputs")
    }
    fn lay_out(&self, inputs: &[(&str, Value)]) -> Result<IndexMap<String, OsString>, FileError> {
        let inputs = inputs.iter().map(|(name, value)| ((*name).to_owned(), value.clone())).collect();
        let placing = Placing { blobs: self.store.blobs(), later: None };
        lay_out(&inputs, placing, &self.folder(), &self.folder())
    }
    /// Returns media with these bytes, too many for the database.
    fn media(&self, name: &str, first: &str) -> Value {
        let bytes = first.repeat(70_000).into_bytes();
        let published = self.store.blobs().publish(bytes).unwrap();
        let media = Media {
            kind: MediaKind::File,
            hash: published.hash,
            mime: "text/plain".into(),
            bytes: published.bytes,
            name: name.into(),
            width: None,
            height: None,
            executable: false,
            source: None,
        };
        self.held.borrow_mut().push(published);
        Value::from(media)
    }
}

fn shown(variables: &IndexMap<String, OsString>) -> Vec<String> {
    variables.iter().map(|(name, value)| format!("{name}={}", value.to_string_lossy())).collect()
}

#[test]
fn plain_values_are_variables_and_make_no_folder() {
    let fixture = fixture();
    let list = Value::from(vec![Value::Int(1), Value::from("b")]);
    let made = fixture
        .lay_out(&[
            ("text", Value::from("a $(b) `c`\n")),
            ("n", Value::Float(0.5)),
            ("yes", Value::Bool(true)),
            ("list", list),
            ("nothing", Value::None),
        ])
        .unwrap();
    assert_eq!(shown(&made), ["text=a $(b) `c`\n", "n=0.5", "yes=true", "list=[1,\"b\"]"]);
    assert!(!fixture.folder().exists());
}

#[test]
fn a_long_value_is_a_file_only() {
    let fixture = fixture();
    let text = "é".repeat(MAX_VARIABLE);
    let made = fixture.lay_out(&[("text", Value::from(text.clone()))]).unwrap();
    assert_eq!(made.keys().collect::<Vec<_>>(), ["text_file"]);
    assert_eq!(fs::read_to_string(&made["text_file"]).unwrap(), text);
    let list = Value::from(vec![Value::from(text)]);
    let made = fixture.lay_out(&[("list", list)]).unwrap();
    assert_eq!(Path::new(&made["list_file"]).extension(), Some(OsStr::new("json")));
}

#[test]
fn media_inputs_are_read_only_copies_with_their_names() {
    let fixture = fixture();
    let made = fixture.lay_out(&[("file", fixture.media("../a b.txt", "x"))]).unwrap();
    let path = Path::new(&made["file"]);
    assert!(path.starts_with(fixture.folder().join("file")), "{path:?}");
    assert_eq!(path.extension(), Some(OsStr::new("txt")));
    assert_eq!(fs::read(path).unwrap().len(), 70_000);
    assert_eq!(fs::metadata(path).unwrap().permissions().mode() & 0o777, 0o400);
}

#[test]
fn a_list_of_media_is_also_a_folder_in_list_order() {
    let fixture = fixture();
    let list = Value::from(vec![fixture.media("b.txt", "b"), Value::None, fixture.media("a.txt", "a")]);
    let made = fixture.lay_out(&[("files", list)]).unwrap();
    let folder = Path::new(&made["files_dir"]);
    assert!(folder.join("000_b.txt").is_file() && folder.join("002_a.txt").is_file());
    let paths: Vec<Option<PathBuf>> = serde_json::from_str(made["files"].to_str().unwrap()).unwrap();
    assert_eq!(paths, [Some(folder.join("000_b.txt")), None, Some(folder.join("002_a.txt"))]);
}

#[test]
fn two_inputs_for_one_variable_are_refused() {
    let fixture = fixture();
    let list = Value::from(vec![fixture.media("b.txt", "b")]);
    let error = fixture.lay_out(&[("files_dir", Value::Int(1)), ("files", list)]).unwrap_err();
    assert!(error.to_string().contains("`files_dir`"), "{error}");
}

#[test]
fn missing_bytes_are_reported() {
    let fixture = fixture();
    let mut value = fixture.media("a.txt", "a");
    if let Value::Media(media) = &mut value {
        media.hash = BlobHash::of(b"never stored");
    }
    assert!(fixture.lay_out(&[("file", value)]).is_err());
}
