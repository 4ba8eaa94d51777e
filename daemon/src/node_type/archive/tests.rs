//! Files are packed and unpacked, and dangerous archives are refused.

use std::collections::BTreeMap;
use std::io::Write as _;
use std::path::Path;

use fanlight_shared::id::BlobHash;
use fanlight_shared::media::{Media, MediaKind};
use fanlight_shared::value::{Value, Values};
use rawzip::{CompressionMethod, ZipArchiveWriter};

use super::{unzip, zip};
use crate::node_type::fixture::inputs;
use crate::node_type::{NodeType, Runner, Workspace};

struct Bench {
    folder: tempfile::TempDir,
    files: BTreeMap<BlobHash, std::path::PathBuf>,
}

impl Bench {
    fn new() -> Self {
        Self { folder: tempfile::tempdir().unwrap(), files: BTreeMap::new() }
    }

    /// Bytes as a file of an earlier node.
    fn file(&mut self, name: &str, bytes: &[u8], executable: bool) -> Value {
        let hash = BlobHash::of(&[bytes, name.as_bytes()].concat());
        let path = self.folder.path().join(format!("in{}", self.files.len()));
        std::fs::write(&path, bytes).unwrap();
        self.files.insert(hash, path);
        media(MediaKind::File, hash, name, bytes.len() as u64, executable)
    }

    fn folder(&mut self, name: &str, files: &[(&str, &str)]) -> Value {
        let hash = BlobHash::of(name.as_bytes());
        let folder = self.folder.path().join(format!("in{}", self.files.len()));
        for (path, text) in files {
            let path = folder.join(path);
            std::fs::create_dir_all(path.parent().unwrap()).unwrap();
            std::fs::write(path, text).unwrap();
        }
        self.files.insert(hash, folder);
        media(MediaKind::Dir, hash, name, 0, false)
    }

    /// Runs a type; returns its outputs and a way to read new files.
    fn run(&self, node_type: NodeType, given: &[(&str, Value)]) -> Result<(Values, Workspace), String> {
        let inputs = inputs(&node_type, given)?;
        let out =
            self.folder.path().join(format!("out{}", std::fs::read_dir(self.folder.path()).unwrap().count()));
        std::fs::create_dir(&out).unwrap();
        let mut workspace = Workspace::of_test(out, self.files.clone());
        let Runner::Worker(run) = node_type.run else { panic!("a worker") };
        let made = run(&mut workspace, inputs).map_err(String::from)?;
        Ok((made, workspace))
    }

    fn zip(&self, given: &[(&str, Value)]) -> Result<Vec<u8>, String> {
        let (made, workspace) = self.run(zip::node_type(), given)?;
        Ok(std::fs::read(workspace.path(&made["file"]).unwrap()).unwrap())
    }

    /// The paths in an archive, with the text and the mode of each file.
    fn unzip(&mut self, bytes: &[u8], glob: &str) -> Result<Vec<(String, String, u32)>, String> {
        use std::os::unix::fs::PermissionsExt as _;
        let file = self.file("a.zip", bytes, false);
        let (made, workspace) = self.run(unzip::node_type(), &[("file", file), ("glob", glob.into())])?;
        let read = |file: &Value| {
            let path = workspace.path(file).unwrap();
            let mode = path.metadata().unwrap().permissions().mode() & 0o777;
            (String::from_utf8_lossy(&std::fs::read(path).unwrap()).into_owned(), mode)
        };
        let paths = made["paths"].as_list().unwrap().iter().map(|it| it.as_text().unwrap().to_owned());
        let files = made["files"].as_list().unwrap().iter().map(read);
        Ok(paths.zip(files).map(|(path, (text, mode))| (path, text, mode)).collect())
    }
}

fn media(kind: MediaKind, hash: BlobHash, name: &str, bytes: u64, executable: bool) -> Value {
    let mime = if kind == MediaKind::Dir { "inode/directory" } else { "application/octet-stream" };
    let (width, height, source) = (None, None, None);
    Value::from(Media {
        kind,
        hash,
        mime: mime.into(),
        bytes,
        name: name.into(),
        width,
        height,
        executable,
        source,
    })
}

/// An archive with one file, made by hand.
fn archive(path: &[u8], mode: u32, text: &[u8]) -> Vec<u8> {
    let mut out = Vec::new();
    let mut archive = ZipArchiveWriter::new(&mut out);
    let path = rawzip::path::EntryPath::verbatim(path);
    let (mut entry, config) = archive
        .new_file(path)
        .compression_method(CompressionMethod::STORE)
        .unix_permissions(mode)
        .start()
        .unwrap();
    let mut writer = config.wrap(&mut entry);
    writer.write_all(text).unwrap();
    let (_, described) = writer.finish().unwrap();
    entry.finish(described).unwrap();
    archive.finish().unwrap();
    out
}

#[test]
fn packed_files_are_unpacked_with_their_modes() {
    let mut bench = Bench::new();
    let files = vec![bench.file("run.sh", b"echo hello", true), bench.file("b.csv", b"a,b\n1,2\n", false)];
    let bytes = bench.zip(&[("files", files.clone().into())]).unwrap();
    let expected =
        [("b.csv".into(), "a,b\n1,2\n".into(), 0o600), ("run.sh".into(), "echo hello".into(), 0o700)];
    assert_eq!(bench.unzip(&bytes, "**").unwrap(), expected);
    assert_eq!(bench.unzip(&bytes, "*.csv").unwrap(), expected[..1]);
    assert_eq!(bench.zip(&[("files", files.into())]).unwrap(), bytes, "the same files make the same bytes");
}

#[test]
fn a_folder_is_packed_with_everything_below_it() {
    let mut bench = Bench::new();
    let folder = bench.folder("site", &[("index.html", "x"), ("css/a.css", "y")]);
    let other = bench.file("x.txt", b"z", false);
    let bytes = bench.zip(&[("files", folder.clone())]).unwrap();
    let paths = |found: Vec<(String, String, u32)>| found.into_iter().map(|it| it.0).collect::<Vec<_>>();
    assert_eq!(paths(bench.unzip(&bytes, "**").unwrap()), ["css/a.css", "index.html"]);
    let both = bench
        .zip(&[
            ("files", vec![folder, other].into()),
            ("paths", vec!["www".into(), "data/x.txt".into()].into()),
        ])
        .unwrap();
    assert_eq!(paths(bench.unzip(&both, "**").unwrap()), ["data/x.txt", "www/css/a.css", "www/index.html"]);
    assert_eq!(paths(bench.unzip(&both, "www/**").unwrap()), ["www/css/a.css", "www/index.html"]);
}

#[test]
fn paths_that_clash_or_lead_elsewhere_are_not_packed() {
    let mut bench = Bench::new();
    let files = vec![bench.file("a.txt", b"1", false), bench.file("a.txt", b"2", false)];
    assert!(
        bench.zip(&[("files", files.clone().into())]).unwrap_err().contains("two files would be `a.txt`")
    );
    let clash = vec!["a".into(), "a/b".into()];
    let error = bench.zip(&[("files", files.clone().into()), ("paths", clash.into())]).unwrap_err();
    assert!(error.contains("`a` would be a file and a folder"), "{error}");
    for bad in ["../a", "/a", "a//b", "a\\b", "C:a", "a\nb", ""] {
        let paths = vec!["ok".into(), bad.into()];
        let error = bench.zip(&[("files", files.clone().into()), ("paths", paths.into())]).unwrap_err();
        assert!(error.contains("can't be a path in an archive"), "{bad}: {error}");
    }
    assert!(
        bench.zip(&[("files", "text".into())]).unwrap_err().contains("item 0 of `files` is text, not a file")
    );
}

#[test]
fn an_archive_that_leads_elsewhere_is_refused_as_a_whole() {
    let mut bench = Bench::new();
    for bad in
        [&b"../evil"[..], b"/etc/evil", b"a/../../evil", b"..\\evil", b"C:evil", b"a\0b", b"a//b", b"./a"]
    {
        let error = bench.unzip(&archive(bad, 0o100_644, b"x"), "**").unwrap_err();
        assert!(error.starts_with("`a.zip`: `") && error.contains("; nothing was unpacked"), "{error}");
    }
    assert!(bench.unzip(&archive(b"\xff\xfe", 0o100_644, b"x"), "**").unwrap_err().contains("not UTF-8"));
    let link = archive(b"link", 0o120_777, b"/etc/passwd");
    assert!(bench.unzip(&link, "**").unwrap_err().contains("`link` is a link or a special file"));
    let device = archive(b"disk", 0o060_600, b"");
    assert!(bench.unzip(&device, "**").unwrap_err().contains("`disk` is a link or a special file"));
    assert!(!Path::new("/etc/evil").exists());
}

#[test]
fn archives_that_are_damaged_encrypted_or_too_large_are_refused() {
    let mut bench = Bench::new();
    let zeros = bench.file("zeros", &vec![0; 80 << 20], false);
    let bomb = bench.zip(&[("files", zeros)]).unwrap();
    assert!(bomb.len() < 200_000);
    assert!(bench.unzip(&bomb, "**").unwrap_err().contains("more than 200 times as large"));
    // The flag of encryption is set in both headers; the rest is as in a plain archive.
    let mut encrypted = archive(b"a.txt", 0o100_644, b"hello");
    let directory = encrypted.windows(4).position(|it| it == b"PK\x01\x02").unwrap();
    encrypted[6] |= 1;
    encrypted[directory + 8] |= 1;
    assert!(bench.unzip(&encrypted, "**").unwrap_err().contains("`a.txt` is encrypted"));
    let mut fewer = archive(b"a.txt", 0o100_644, b"hello");
    let end = fewer.windows(4).position(|it| it == b"PK\x05\x06").unwrap();
    (fewer[end + 8], fewer[end + 10]) = (2, 2);
    assert!(bench.unzip(&fewer, "**").is_err(), "an entry is missing");
    let mut damaged = archive(b"a.txt", 0o100_644, b"hello");
    let at = damaged.windows(5).position(|it| it == b"hello").unwrap();
    damaged[at] = b'j';
    assert!(bench.unzip(&damaged, "**").unwrap_err().contains("`a.txt` is damaged"));
    assert!(bench.unzip(b"no archive at all", "**").unwrap_err().contains("it is not a ZIP archive"));
    let whole = archive(b"a.txt", 0o100_644, b"hello");
    for end in 0..whole.len() {
        assert!(bench.unzip(&whole[..end], "**").is_err(), "cut after {end} bytes");
    }
    for start in 1..40 {
        assert!(bench.unzip(&whole[start..], "**").is_err(), "the first {start} bytes are missing");
    }
}
