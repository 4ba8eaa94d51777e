mod links;

use std::fs;
use std::os::unix::fs::{PermissionsExt, symlink};

use fanlight_shared::home::Home;
use fanlight_shared::id::AttemptId;
use fanlight_shared::problem::Span;

use super::super::fixture;
use super::super::folder::Folder;
use super::super::shared::SharedFolders;
use super::*;
use crate::attempt::Attempt;
use crate::store::Store;

/// A picture of one pixel.
const PNG: &[u8] =
    b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR\0\0\0\x01\0\0\0\x01\x08\x06\0\0\0\x1f\x15\xc4\x89\0\0\0\rIDATx\x9cc\xf8\
\xcf\xc0\xf0\x1f\0\x05\0\x01\xff\x89\x99=\x1d\0\0\0\0IEND\xaeB`\x82";

struct Ended {
    temp: tempfile::TempDir,
    store: Store,
    folder: Folder,
    outputs: IndexMap<String, CommandOutput>,
    reported: IndexMap<String, Reported>,
    stdout: Stdout,
    dir: Option<PathBuf>,
    shared: SharedFolders,
    attempt: Attempt,
    /// Whether the command exited with another code than 0.
    failed: bool,
}

fn ended() -> Ended {
    let temp = tempfile::tempdir().unwrap();
    let store = Store::open(&Home::below(&temp.path().join("home")).unwrap()).unwrap();
    let folder = Folder::of(&temp.path().join("attempts"), AttemptId::new());
    folder.make().unwrap();
    let shared = SharedFolders::load(&temp.path().join("attempts"));
    Ended {
        temp,
        store,
        folder,
        outputs: IndexMap::new(),
        reported: IndexMap::new(),
        stdout: Stdout { bytes: Vec::new(), truncated: false, masked: false },
        dir: None,
        shared,
        attempt: fixture::attempt(),
        failed: false,
    }
}

impl Ended {
    fn file(self, path: &str, bytes: impl AsRef<[u8]>) -> Self {
        let path = self.folder.work().join(path);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, bytes).unwrap();
        self
    }
    fn output(mut self, name: &str, source: OutputSource, ty: &str) -> Self {
        let ty = ty.parse().unwrap();
        self.outputs.insert(
            name.into(),
            CommandOutput { source, ty, name: None, take_unchanged: false, span: Span::default() },
        );
        self
    }
    fn path(self, name: &str, path: &str, ty: &str) -> Self {
        self.output(name, OutputSource::Path(path.into()), ty)
    }
    fn glob(self, name: &str, glob: &str, ty: &str) -> Self {
        self.output(name, OutputSource::Glob(glob.into()), ty)
    }
    fn dir(mut self, files: &[&str]) -> Self {
        let dir = self.temp.path().join("project");
        fs::create_dir(&dir).unwrap();
        for file in files {
            fs::write(dir.join(file), "old").unwrap();
        }
        let before = self.shared.begin(&self.attempt, &dir, &self.outputs).unwrap();
        before.save(&self.folder.before()).unwrap();
        self.dir = Some(dir);
        self
    }
    fn claim(&self) -> Claim<'_> {
        Claim { folders: &self.shared, attempt: self.attempt.id, ended_well: !self.failed }
    }
    fn collect(&self) -> Collected {
        self.shared.ended(self.attempt.id, &[]);
        let claim = self.claim();
        let sources = Sources {
            places: places(&self.folder, self.dir.as_deref(), claim).unwrap(),
            stdout: &self.stdout,
            secrets: &Default::default(),
            reported: &self.reported,
            blobs: self.store.blobs(),
            attempt: &self.attempt,
            folder: &self.folder,
            ended_well: !self.failed,
        };
        collect(&self.outputs, &sources).unwrap()
    }
    fn value(&self, name: &str) -> Value {
        let collected = self.collect();
        assert_eq!(collected.problems, Vec::<String>::new());
        collected.values[name].clone()
    }
    fn problem(&self) -> String {
        self.collect().problems.join("; ")
    }
}

#[test]
fn files_become_values_of_their_type() {
    let ended = ended()
        .file("text", "two\nlines\n")
        .file("int", " 42\n")
        .file("float", "1e3")
        .file("bool", "true\n")
        .file("json", "{\"a\": [1]}")
        .file("ints", "[1, 2]");
    for (name, value) in [
        ("text", Value::from("two\nlines\n")),
        ("int", Value::Int(42)),
        ("float", Value::Float(1000.0)),
        ("bool", Value::Bool(true)),
        ("json", Value::from_json(serde_json::json!({"a": [1]}))),
    ] {
        let one = Ended { outputs: IndexMap::new(), ..super::tests::ended() }.path("it", name, name);
        fs::copy(ended.folder.work().join(name), one.folder.work().join(name)).unwrap();
        assert_eq!(one.value("it"), value, "{name}");
    }
    let ended = ended.path("ints", "ints", "list<int>");
    assert_eq!(ended.value("ints"), Value::from(vec![Value::Int(1), Value::Int(2)]));
}

#[test]
fn the_bytes_of_a_picture_decide_its_type() {
    let ended = ended().file("out.png", PNG).path("image", "out.png", "image");
    let value = ended.value("image");
    let media = value.as_media().unwrap();
    assert_eq!(
        (media.kind, media.mime.as_str(), media.name.as_str()),
        (MediaKind::Image, "image/png", "out.png")
    );
    assert_eq!((media.width, media.height), (Some(1), Some(1)));
    let ended = ended.file("out.png", "not a picture");
    let problem = ended.problem();
    assert!(problem.contains("output `image`") && problem.contains("image is declared"), "{problem}");
}

#[test]
fn content_of_the_wrong_type_is_named() {
    for (ty, content, part) in [
        ("int", "4.5", "`4.5`, which is not a valid int"),
        ("float", "not-a-number", "not a valid number"),
        ("bool", "yes", "not a valid bool"),
        ("json", "{", "not JSON"),
        ("list<int>", "[\"a\"]", "expected int"),
        ("text", "\u{fffd}", ""),
    ] {
        let ended = ended().file("f", content).path("it", "f", ty);
        let problem = ended.problem();
        assert!(problem.contains(part), "{ty}: {problem}");
    }
    let ended = ended().file("f", b"\xff\xfe").path("it", "f", "text");
    assert!(ended.problem().contains("not UTF-8"));
}

#[test]
fn a_missing_file_is_reported_with_the_files_that_exist() {
    let near = ended().file("out.jpg", "x").file("other", "x").path("image", "out.png", "image");
    assert_eq!(
        near.problem(),
        "output `image`: there is no `out.png` in the work folder; did you mean `out.jpg`?"
    );
    let far = ended().file("zzz", "x").path("image", "out.png", "image");
    assert!(far.problem().ends_with("there is `zzz`"), "{}", far.problem());
    assert!(ended().path("image", "out.png", "image").problem().ends_with("nothing is there"));
    let folder = ended().file("out/a", "x").path("image", "out", "image");
    assert!(folder.problem().contains("is a folder, but image is declared"));
}

#[test]
fn no_path_leads_out_of_the_folder() {
    let ended =
        ended().path("a", "../events.jsonl", "file").path("b", "/etc/passwd", "file").path("c", "l", "file");
    symlink("/etc/passwd", ended.folder.work().join("l")).unwrap();
    let collected = ended.collect();
    assert!(collected.values.is_empty() && collected.blobs.is_empty());
    assert!(collected.problems[0].contains("climbs out") && collected.problems[1].contains("climbs out"));
    assert!(collected.problems[2].contains("a link that leads out of the folder, to `/etc/passwd`"));
}

#[test]
fn a_glob_is_a_list_in_name_order() {
    let ended = ended().file("b.txt", "b").file("a.txt", "a").file("sub/c.txt", "c").glob(
        "all",
        "*.txt",
        "list<text>",
    );
    assert_eq!(ended.value("all"), Value::from(vec![Value::from("a"), Value::from("b")]));
    let ended = ended.glob("all", "**/*.txt", "file");
    let value = ended.value("all");
    let names: Vec<_> = value.media().into_iter().map(|it| it.name.as_str()).collect();
    assert_eq!(names, ["a.txt", "b.txt", "c.txt"]);
}

#[test]
fn the_executable_bit_is_kept() {
    let ended =
        ended().file("go", "#!").file("text", "x").path("go", "go", "file").path("text", "text", "file");
    fs::set_permissions(ended.folder.work().join("go"), fs::Permissions::from_mode(0o755)).unwrap();
    let executable = |name: &str| ended.value(name).as_media().unwrap().executable;
    assert!(executable("go") && !executable("text"));
}

#[test]
fn a_folder_lists_its_files() {
    let ended = ended().file("site/index.html", "<p>").file("site/bin/go", "#!").path("site", "site", "dir");
    let go = ended.folder.work().join("site/bin/go");
    fs::set_permissions(go, fs::Permissions::from_mode(0o755)).unwrap();
    let collected = ended.collect();
    let media = collected.values["site"].as_media().unwrap();
    assert_eq!((media.kind, media.bytes, media.name.as_str()), (MediaKind::Dir, 5, "site"));
    assert_eq!(collected.blobs.len(), 3);
    let blob = collected.blobs.iter().find(|it| it.hash == media.hash).unwrap();
    let manifest: fanlight_shared::media::DirManifest =
        serde_json::from_slice(blob.inline.as_ref().unwrap()).unwrap();
    let files: Vec<_> = manifest.files.iter().map(|it| (it.path.as_str(), it.executable)).collect();
    assert_eq!(files, [("bin/go", true), ("index.html", false)]);
}

#[test]
fn a_folder_keeps_its_empty_folders() {
    let ended = ended().file("site/a/b/page.html", "<p>").path("site", "site", "dir");
    for folder in ["site/cache/old", "site/a/c", "site/empty"] {
        fs::create_dir_all(ended.folder.work().join(folder)).unwrap();
    }
    let collected = ended.collect();
    let media = collected.values["site"].as_media().unwrap();
    let blob = collected.blobs.iter().find(|it| it.hash == media.hash).unwrap();
    let manifest: fanlight_shared::media::DirManifest =
        serde_json::from_slice(blob.inline.as_ref().unwrap()).unwrap();
    assert_eq!(manifest.folders, ["a/c", "cache/old", "empty"]);
}

#[test]
fn a_shared_folder_yields_unchanged_files_only_after_success() {
    let mut ended = ended()
        .path("kept", "kept.txt", "text")
        .path("made", "made.txt", "text")
        .glob("all", "*.txt", "text");
    ended = ended.dir(&["kept.txt", "again.txt"]);
    let dir = ended.dir.clone().unwrap();
    fs::write(dir.join("made.txt"), "new").unwrap();
    fs::write(dir.join("again.txt"), "OLD").unwrap();
    let collected = ended.collect();
    assert_eq!(collected.problems, Vec::<String>::new());
    assert_eq!(collected.values["kept"], Value::from("old"));
    assert_eq!(collected.unchanged, ["kept"]);
    assert_eq!(collected.values["made"], Value::from("new"));
    assert_eq!(collected.values["all"], Value::from(vec![Value::from("OLD"), Value::from("new")]));
    ended.failed = true;
    assert!(ended.problem().contains("did not change it"), "{}", ended.problem());
    // Files in the attempt's own folder are always its own.
    let ended = ended.file("made.txt", "private");
    assert_eq!(ended.collect().values["made"], Value::from("private"));
}

#[test]
fn a_glob_includes_unchanged_files_if_asked() {
    let mut ended = ended().glob("all", "*.txt", "text");
    ended.outputs["all"].take_unchanged = true;
    let mut ended = ended.dir(&["a.txt", "b.txt"]);
    let collected = ended.collect();
    assert_eq!(collected.values["all"], Value::from(vec![Value::from("old"), Value::from("old")]));
    assert_eq!(collected.unchanged, ["all"]);
    fs::write(ended.dir.clone().unwrap().join("b.txt"), "new").unwrap();
    let collected = ended.collect();
    assert_eq!(collected.values["all"], Value::from(vec![Value::from("old"), Value::from("new")]));
    assert_eq!(collected.unchanged, Vec::<String>::new());
    ended.failed = true;
    assert_eq!(ended.collect().values["all"], Value::from(vec![Value::from("new")]));
}

#[test]
fn a_file_or_folder_that_another_attempt_changed_is_refused() {
    let ended =
        ended().path("file", "f.txt", "text").path("folder", "out", "dir").glob("all", "*.txt", "text");
    let ended = ended.dir(&["f.txt"]);
    let dir = ended.dir.clone().unwrap();
    fs::create_dir(dir.join("out")).unwrap();
    let other = Attempt { node: "other".into(), ..fixture::attempt() };
    ended.shared.begin(&other, &dir, &ended.outputs).unwrap();
    fs::write(dir.join("f.txt"), "whose?").unwrap();
    fs::write(dir.join("out/g"), "whose?").unwrap();
    let collected = ended.collect();
    assert!(collected.values.is_empty(), "{:?}", collected.values);
    for (problem, file) in collected.problems.iter().zip(["`f.txt`", "`out/g`", "`f.txt`"]) {
        assert!(problem.contains(file) && problem.contains("`other` of poster#1"), "{problem}");
    }
    assert_eq!(collected.problems.len(), 3);
}

#[test]
fn a_file_that_changes_while_it_is_read_is_refused() {
    let ended = ended().path("file", "f.txt", "text").path("folder", "out", "dir").dir(&["f.txt"]);
    let dir = ended.dir.clone().unwrap();
    fs::create_dir(dir.join("out")).unwrap();
    fs::write(dir.join("out/g"), "old").unwrap();
    let places = places(&ended.folder, Some(&dir), ended.claim()).unwrap();
    for (path, file) in [("f.txt", "f.txt"), ("out", "out/g")] {
        let found = find(&places, Path::new(path)).unwrap();
        let held = found.place.hold(Path::new(path), &found.entry).unwrap();
        assert_eq!(found.place.release(&held), Ok(()));
        fs::write(dir.join(file), "another size").unwrap();
        assert!(found.place.release(&held).unwrap_err().contains("changed while it was collected"));
    }
}

#[test]
fn fields_of_stdout_are_values() {
    let mut ended = ended().output("acc", OutputSource::Json("metrics.acc".into()), "float");
    ended.stdout.bytes = b"{\"metrics\": {\"acc\": 1}}\n".to_vec();
    assert_eq!(ended.value("acc"), Value::Float(1.0));
    ended.stdout.bytes = b"{\"metrics\": {\"acc\": \"high\"}}\n".to_vec();
    assert_eq!(ended.problem(), "output `acc`: expected float, got text");
}

#[test]
fn reported_outputs_win_and_may_be_undeclared() {
    let mut ended = ended().file("a.png", PNG).path("image", "b.png", "image").path("n", "n", "int");
    ended.reported.insert("image".into(), Reported::Path("a.png".into()));
    ended.reported.insert("n".into(), Reported::Value("x".into()));
    ended.reported.insert("extra".into(), Reported::Value(serde_json::json!([1])));
    let collected = ended.collect();
    assert_eq!(collected.values["image"].as_media().unwrap().name, "a.png");
    assert_eq!(collected.values["extra"], Value::from(vec![Value::Int(1)]));
    assert_eq!(collected.problems, ["output `n`: expected int, got text"]);
    ended.reported.insert("image".into(), Reported::Value("a.png".into()));
    assert!(ended.problem().contains("its \"path\""));
}
