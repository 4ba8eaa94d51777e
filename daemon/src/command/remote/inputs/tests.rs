use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::process::Command;

use fanlight_shared::home::Home;
use fanlight_shared::media::DirEntry;
use fanlight_shared::quote;

use super::*;
use crate::store::Store;

/// The folders of an attempt and of the inputs on a cluster, which is this machine.
struct There {
    temp: tempfile::TempDir,
    store: Store,
    held: Vec<crate::store::blob::Published>,
}

impl There {
    fn new() -> Self {
        let temp = tempfile::tempdir().unwrap();
        let store = Store::open(&Home::below(&temp.path().join("home")).unwrap()).unwrap();
        fs::create_dir_all(temp.path().join("attempt/inputs/x")).unwrap();
        Self { temp, store, held: Vec::new() }
    }

    fn attempt(&self) -> PathBuf {
        self.temp.path().join("attempt")
    }

    fn store(&self) -> PathBuf {
        self.temp.path().join(FOLDER)
    }

    fn publish(&mut self, bytes: &[u8]) -> fanlight_shared::id::BlobHash {
        let published = self.store.blobs().publish(bytes.to_vec()).unwrap();
        let hash = published.hash;
        self.held.push(published);
        hash
    }

    fn media(&mut self, kind: MediaKind, stored: &[u8], bytes: u64) -> Media {
        let (width, height, source) = (None, None, None);
        let (mime, name) = (String::new(), "a".to_owned());
        Media {
            kind,
            hash: self.publish(stored),
            mime,
            bytes,
            name,
            width,
            height,
            executable: false,
            source,
        }
    }

    /// Asks which inputs are missing; places all if none is.
    fn place(&self) -> Vec<String> {
        let mut command = Command::new("sh");
        command.arg(self.attempt().join(files::PLACING[0])).arg(self.attempt()).arg(self.store());
        let output = command.output().unwrap();
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
        String::from_utf8(output.stdout).unwrap().lines().map(str::to_owned).collect()
    }

    /// Puts there what arrived of these.
    fn settle(&self, inputs: &ByName, names: &[String]) {
        let arrived = self.temp.path().join("arrived");
        for folder in [&arrived, &self.store()] {
            fs::create_dir_all(folder).unwrap();
        }
        for name in names {
            placing::place(self.store.blobs(), &inputs[name], &arrived.join(name), false).unwrap();
        }
        let mut command = Command::new("sh");
        command.arg(self.attempt().join(files::PLACING[0])).arg("settle");
        command.args([&arrived, &self.store()]).args(names);
        assert!(command.status().unwrap().success());
    }
}

fn mode(path: &Path) -> u32 {
    fs::metadata(path).unwrap().permissions().mode() & 0o777
}

#[test]
fn inputs_are_placed_from_those_that_were_sent_and_damaged_ones_are_missing() {
    let mut there = There::new();
    let text = "x".repeat(70_000);
    let file = there.media(MediaKind::File, text.as_bytes(), 70_000);
    let hash = there.publish(text.as_bytes());
    let entry = |path: &str, executable| DirEntry { path: path.into(), hash, bytes: 70_000, executable };
    let files = vec![entry("a/b c", false), entry("run", true)];
    let manifest = DirManifest { files, folders: Vec::new() };
    let folder = there.media(MediaKind::Dir, &serde_json::to_vec(&manifest).unwrap(), 140_000);
    let attempt = there.attempt();
    let later = |media: &Media, path: &str, executable| Later {
        media: media.clone(),
        path: attempt.join("inputs/x").join(path),
        executable,
    };
    let odd = " it's $(id) * ";
    let all = vec![later(&file, odd, false), later(&file, "again", true), later(&folder, "tree", false)];
    let inputs = lay_out(all, &attempt, there.store.blobs()).unwrap();
    let names: Vec<String> = inputs.keys().cloned().collect();
    let mut missing = there.place();
    missing.sort();
    missing.dedup();
    assert_eq!(missing, names);
    assert!(!attempt.join("inputs/x/again").exists());

    there.settle(&inputs, &names);
    assert_eq!(there.place(), [""; 0]);
    let placed = attempt.join("inputs/x");
    assert_eq!(fs::read_to_string(placed.join(odd)).unwrap(), text);
    assert_eq!(fs::read_to_string(placed.join("tree/a/b c")).unwrap(), text);
    let modes = [odd, "again", "tree/run", "tree/a/b c"].map(|name| mode(&placed.join(name)));
    assert_eq!(modes, [0o400, 0o500, 0o500, 0o400]);

    // Whatever a command does to its own harms no other one.
    fs::remove_file(placed.join("again")).unwrap();
    fs::write(placed.join("again"), "changed").unwrap();
    assert_eq!(there.place(), [""; 0]);
    assert_eq!(fs::read_to_string(placed.join("again")).unwrap(), text);

    // What is cut or lacks a file is not used, and is replaced.
    let cut = there.store().join(&names[0]);
    let tree = there.store().join(format!("{}.d", folder.hash));
    let short = there.store().join(file.hash.to_string());
    assert!(cut == tree || cut == short);
    fs::remove_file(tree.join("a/b c")).unwrap();
    fs::set_permissions(&short, fs::Permissions::from_mode(0o600)).unwrap();
    fs::write(&short, "x").unwrap();
    let mut missing = there.place();
    missing.sort();
    missing.dedup();
    assert_eq!(missing, names);
    there.settle(&inputs, &names);
    assert_eq!(there.place(), [""; 0]);
    assert_eq!(fs::read_to_string(tree.join("a/b c")).unwrap(), text);
}

#[test]
fn an_input_with_other_bytes_of_the_same_length_is_sent_again() {
    let mut there = There::new();
    let file = there.media(MediaKind::File, b"the bytes", 9);
    let (attempt, original) = (there.attempt(), there.store().join(file.hash.to_string()));
    let path = attempt.join("inputs/x/file");
    let all = vec![Later { media: file, path: path.clone(), executable: false }];
    let inputs = lay_out(all, &attempt, there.store.blobs()).unwrap();
    let names: Vec<String> = inputs.keys().cloned().collect();
    there.settle(&inputs, &names);
    for keeps_time in [false, true] {
        assert_eq!(there.place(), [""; 0]);
        assert_eq!(fs::read(&path).unwrap(), b"the bytes");
        let before = fs::metadata(&original).unwrap().modified().unwrap();
        fs::set_permissions(&original, fs::Permissions::from_mode(0o600)).unwrap();
        fs::write(&original, "other one").unwrap();
        if keeps_time {
            fs::File::options().write(true).open(&original).unwrap().set_modified(before).unwrap();
        }
        assert_eq!(there.place(), names);
        there.settle(&inputs, &names);
    }
    // Nobody knows what is not sealed, as after a crash.
    fs::remove_file(original.with_extension("seal")).unwrap();
    assert_eq!(there.place(), names);
}

#[test]
fn what_nobody_uses_for_long_is_removed_with_its_seal() {
    let there = There::new();
    fs::create_dir(there.store()).unwrap();
    let old = |name: &str, is_old: bool| {
        let path = there.store().join(name);
        fs::write(&path, "").unwrap();
        let time = if is_old { std::time::UNIX_EPOCH } else { std::time::SystemTime::now() };
        fs::File::options().write(true).open(&path).unwrap().set_modified(time).unwrap();
    };
    for (name, is_old) in
        [("used", true), ("used.seal", false), ("a", true), ("a.seal", true), ("b", true), ("c", false)]
    {
        old(name, is_old);
    }
    assert!(quote::word(CLEAN).is_ok(), "it can be sent");
    let mut command = Command::new("sh");
    command.args(["-c", CLEAN, "sh"]).arg(there.store()).arg("60");
    assert!(command.status().unwrap().success());
    let mut left: Vec<_> = fs::read_dir(there.store()).unwrap().map(|it| it.unwrap().file_name()).collect();
    left.sort();
    assert_eq!(left, ["c", "used", "used.seal"]);
}

#[tokio::test]
async fn what_somebody_sends_is_waited_for() {
    let claims = Claims::default();
    let names = ["a", "b"].map(str::to_owned);
    let first = claims.claim(&names).await;
    assert!(!first.waited);
    assert!(!claims.claim(&["c".to_owned()]).await.waited);
    let (second, ()) = tokio::join!(claims.claim(&names[1..]), async { drop(first) });
    assert!(second.waited);
}
