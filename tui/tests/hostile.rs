//! Bad input of every kind: each gets a clear sentence and an exit code, the daemon stays up, and the store stays
//! intact.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

#[path = "support/alive.rs"]
mod alive;
#[path = "hostile/burst.rs"]
mod burst;
#[path = "hostile/daemon.rs"]
mod daemon;
#[path = "hostile/death.rs"]
mod death;
#[path = "hostile/disk.rs"]
mod disk;
#[path = "hostile/home.rs"]
mod home;
#[path = "support/process.rs"]
mod process;
#[path = "hostile/store.rs"]
mod store;
#[path = "support/fanlight.rs"]
mod support;

use std::io::{Read as _, Write as _};
use std::os::unix::net::UnixStream;
use std::path::PathBuf;

use process::status;
use support::{Fanlight, wait_for};

const SEEDED: &str = "params:
  seed: { type: int, default: 1 }
nodes:
  say:
    uses: text.template
    with: { template: \"seed {{ seed }}\", seed: \"${{ params.seed }}\" }
outputs:
  said: \"${{ say.text }}\"
";

/// Ends once the file `go` exists beside the workflow.
const GATED: &str = "nodes:
  slow:
    dir: .
    run: |
      echo begun
      until [ -e go ]; do sleep 0.05; done
      echo done > out.txt
      echo ended
    outputs: { out: { path: out.txt, type: file } }
outputs:
  out: \"${{ slow.out }}\"
";

fn seeded() -> Fanlight {
    let fanlight = Fanlight::new();
    fanlight.file("seeded.yaml", SEEDED);
    fanlight
}

/// Starts a gated run, and waits until its command has begun.
fn begun() -> Fanlight {
    let fanlight = Fanlight::new();
    fanlight.file("gated.yaml", GATED);
    fanlight.say(&["run", "gated.yaml", "--detach"]).exits(0);
    wait_for("the command's first line", || fanlight.say(&["logs", "last"]).out == "begun\n");
    fanlight
}

/// Checks that the daemon still responds, and that its store is intact.
#[track_caller]
fn is_whole(fanlight: &Fanlight) {
    fanlight.file("well.yaml", "nodes:\n  say: { cmd: [echo, well] }\n");
    fanlight.say(&["run", "well.yaml"]).exits(0);
    fanlight.say(&["doctor", "--deep"]).exits(0);
}

#[test]
fn a_wrong_command_line_is_an_error_before_anything_starts() {
    let fanlight = seeded();
    let refused = |line: &[&str], sentence: &str| {
        fanlight.say(line).exits(2).complains(sentence);
    };
    refused(&["run", "seded.yaml"], "did you mean `seeded.yaml`");
    refused(&["run", "seeded.yaml", "-p", "seed=abc"], "`abc` is not an int");
    refused(&["run", "seeded.yaml", "-p", "sede=1"], "did you mean `seed`");
    refused(&["run", "seeded.yaml", "--sweep", "sede=1..3"], "did you mean `seed`");
    refused(&["run", "seeded.yaml", "--fresh=sa"], "the workflow has no node `sa`");
    refused(&["run", "."], "folder");
    fanlight.say(&["daemon", "status"]).exits(3);
}

#[test]
fn a_file_with_errors_is_refused_and_counted_once() {
    let fanlight = Fanlight::new();
    fanlight.file("bad.yaml", "nodes:\n  a: { uses: image.genrate }\n");
    for command in ["check", "run"] {
        let said = fanlight.say(&[command, "bad.yaml"]).exits(2).complains("did you mean");
        assert_eq!(said.err.matches("1 error").count(), 1, "{}", said.err);
    }
}

#[test]
fn waiting_runs_keep_the_version_they_were_queued_with() {
    let fanlight = seeded();
    fanlight.say(&["queue", "--pause"]).exits(0);
    fanlight.say(&["run", "seeded.yaml", "--detach"]).exits(0);
    fanlight.file("seeded.yaml", &SEEDED.replace("seed {{", "changed {{"));
    fanlight.say(&["run", "seeded.yaml", "--detach"]).exits(0);
    fanlight.say(&["queue", "--continue"]).exits(0);
    fanlight.await_states(&["completed", "completed"]);
    let said =
        |run: &str| fanlight.say(&["show", run, "--json"]).exits(0).json()[0]["outputs"]["said"].clone();
    assert_eq!(said("seeded#1"), "seed 1");
    assert_eq!(said("seeded#2"), "changed 1");
}

#[test]
fn an_impossible_home_is_named_in_the_error() {
    let fanlight = seeded();
    fanlight.file("plain", "a file");
    let with_home = |home: PathBuf, sentence: &str| {
        let mut command = fanlight.command(&["run", "seeded.yaml"]);
        let said = command.env("FANLIGHT_HOME", &home).env_remove("XDG_RUNTIME_DIR").output().unwrap();
        let err = String::from_utf8_lossy(&said.stderr).into_owned();
        assert_eq!(said.status.code(), Some(3), "{err}");
        assert!(err.contains(sentence) && !err.contains("panicked"), "{err}");
    };
    with_home(fanlight.path("plain/home"), "plain");
    with_home(fanlight.path(&"long".repeat(30)), "at most 100 fit");
    // Nobody can write there, not even root.
    with_home(PathBuf::from("/proc/fanlight"), "/proc/fanlight");
}

#[test]
fn a_broken_database_or_config_is_reported_and_not_changed() {
    let fanlight = seeded();
    fanlight.say(&["run", "seeded.yaml"]).exits(0);
    fanlight.say(&["daemon", "stop"]).exits(0);
    let home = fanlight.path("../h");
    std::fs::create_dir_all(home.join("config")).unwrap();
    std::fs::write(home.join("config/config.toml"), "max_concurent_runs = 3\n").unwrap();
    fanlight.say(&["run", "seeded.yaml"]).exits(3).complains("max_concurrent_runs");
    std::fs::remove_file(home.join("config/config.toml")).unwrap();

    let database = home.join("data/fanlight.db");
    let version = |set: Option<i64>| {
        let connection = rusqlite::Connection::open(&database).unwrap();
        let before = connection.pragma_query_value(None, "user_version", |row| row.get::<_, i64>(0)).unwrap();
        if let Some(set) = set {
            connection.pragma_update(None, "user_version", set).unwrap();
        }
        before
    };
    let before = version(Some(9999));
    fanlight.say(&["run", "seeded.yaml"]).exits(3).complains("newer");
    assert_eq!(version(Some(before)), 9999, "nothing was written");
    assert_eq!(fanlight.runs().len(), 1, "nothing was lost");

    fanlight.say(&["daemon", "stop"]).exits(0);
    // The write-ahead log would repair it.
    for name in ["fanlight.db-wal", "fanlight.db-shm"] {
        let _ = std::fs::remove_file(home.join("data").join(name));
    }
    std::fs::write(&database, b"this is no database at all, but long enough to be read as one").unwrap();
    fanlight.say(&["run", "seeded.yaml"]).exits(3).complains("fanlight.db");
    let after = std::fs::read(&database).unwrap();
    assert!(after.starts_with(b"this is no database"), "it was left as it is");
}

#[test]
fn a_flood_on_stdout_is_bounded() {
    let fanlight = Fanlight::new();
    let flood = "nodes:
  lines: { run: \"head -c 100000000 /dev/zero | tr '\\\\0' x | fold -w 100; echo last\" }
  endless: { run: \"head -c 100000000 /dev/zero | tr '\\\\0' y; echo last\" }
";
    fanlight.file("flood.yaml", flood).say(&["run", "flood.yaml"]).exits(0);
    for node in ["lines", "endless"] {
        let log = fanlight.say(&["logs", "last", node]).exits(0).out;
        assert!(log.len() < 16 << 20 && log.ends_with("last\n"), "{node}: {} bytes", log.len());
    }
    is_whole(&fanlight);
}

#[test]
fn garbage_on_stdout_reaches_no_terminal() {
    let fanlight = Fanlight::new();
    let rude = "nodes:
  rude:
    run: |
      head -c 20000 /dev/urandom
      printf '\\n\\033]52;c;aGVsbG8=\\007\\033[2J\\033]0;title\\007\\342\\200\\256txt.exe\\302\\2331m\\n'
      exit 1
";
    let said = fanlight.file("rude.yaml", rude).say(&["run", "rude.yaml"]).exits(1);
    let mut texts = vec![said.err];
    for line in [&["logs", "last"][..], &["show", "last"], &["watch", "last"], &["logs", "last", "--failed"]]
    {
        let said = fanlight.say(line);
        texts.extend([said.out, said.err]);
    }
    for text in texts {
        let bad = text.chars().find(|it| it.is_control() && !"\n\t".contains(*it) || *it == '\u{202e}');
        assert_eq!(bad, None, "{text:?}");
    }
    is_whole(&fanlight);
}

#[test]
fn an_output_that_is_not_a_regular_file_fails_its_node() {
    let fanlight = Fanlight::new();
    let node = |name: &str, script: &str, path: &str| {
        format!("  {name}: {{ run: \"{script}\", outputs: {{ o: {{ path: {path}, type: file }} }} }}\n")
    };
    let file = format!(
        "nodes:\n{}{}{}{}{}",
        node("through", "ln -s /etc up", "up/passwd"),
        node("link", "ln -s /etc/passwd o", "o"),
        node("pipe", "mkfifo o", "o"),
        node("folder", "mkdir o", "o"),
        node("nothing", "true", "o"),
    );
    let said = fanlight.file("odd.yaml", &file).say(&["run", "odd.yaml"]).exits(1);
    for sentence in [
        "`through` failed: output `o`: `up/passwd`: it is a link that leads out of the folder",
        "`link` failed: output `o`: `o`: it is a link that leads out of the folder",
        "`pipe` failed: output `o`: `o`: it is a fifo",
        "`folder` failed: output `o`: `o` is a folder",
        "`nothing` failed: output `o`: there is no `o`",
    ] {
        assert!(said.err.contains(sentence), "no `{sentence}` in:\n{}", said.err);
    }
    let climbs = format!("nodes:\n{}", node("climbs", "true", "../../etc/passwd"));
    fanlight.file("climbs.yaml", &climbs).say(&["run", "climbs.yaml"]).exits(2).complains("climbs out");
    is_whole(&fanlight);
}

#[test]
fn a_decompression_bomb_fails_only_its_node() {
    let fanlight = Fanlight::new();
    fanlight.file(
        "bomb.yaml",
        "params:\n  file: { type: file }\nnodes:\n  load: { uses: image.load, with: { file: \"${{ params.file }}\" } }\n",
    );
    std::fs::write(fanlight.path("bomb.png"), header(50_000, 50_000)).unwrap();
    fanlight.say(&["run", "bomb.yaml", "-p", "file=bomb.png"]).exits(1).complains("too large");
    std::fs::write(fanlight.path("broken.png"), header(50, 50)).unwrap();
    fanlight.say(&["run", "bomb.yaml", "-p", "file=broken.png"]).exits(1).complains("`load` failed");
    is_whole(&fanlight);
}

/// Returns a PNG that promises so many pixels and has none.
fn header(width: u32, height: u32) -> Vec<u8> {
    let chunk = |name: &[u8; 4], data: &[u8]| {
        let mut crc = !0_u32;
        for byte in name.iter().chain(data) {
            crc ^= u32::from(*byte);
            for _ in 0..8 {
                crc = if crc & 1 == 1 { (crc >> 1) ^ 0xedb8_8320 } else { crc >> 1 };
            }
        }
        let length = u32::try_from(data.len()).unwrap().to_be_bytes();
        [&length[..], name, data, &(!crc).to_be_bytes()].concat()
    };
    let size = [&width.to_be_bytes()[..], &height.to_be_bytes(), &[8, 2, 0, 0, 0]].concat();
    [b"\x89PNG\r\n\x1a\n".to_vec(), chunk(b"IHDR", &size), chunk(b"IDAT", &[]), chunk(b"IEND", &[])].concat()
}

#[test]
fn garbage_on_the_socket_ends_that_connection_alone() {
    let fanlight = seeded();
    fanlight.say(&["daemon", "start"]).exits(0);
    let before = status(&fanlight);
    let socket = before["socket"].as_str().unwrap().to_owned();
    let upgrade = b"GET / HTTP/1.1\r\nHost: localhost\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\
        Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n";
    for garbage in [
        &[0xff_u8; 70_000][..],
        b"GET / HTTP/1.1\r\n\r\n",
        &[&upgrade[..], &[0xff; 4096]].concat(),
        // A frame that promises 2^62 bytes; one that is not masked.
        &[&upgrade[..], &[0x81, 0xff, 0x40, 0, 0, 0, 0, 0, 0, 0, 1, 2, 3, 4]].concat(),
        &[&upgrade[..], &[0x81, 0x02, b'{', b'}']].concat(),
    ] {
        let mut stream = UnixStream::connect(&socket).unwrap();
        // The daemon may hang up early.
        let _ = stream.write_all(garbage);
        let _ = stream.shutdown(std::net::Shutdown::Write);
        let mut answer = Vec::new();
        let _ = stream.read_to_end(&mut answer);
    }
    assert_eq!(status(&fanlight)["pid"], before["pid"]);
    is_whole(&fanlight);
}

#[test]
fn many_runs_are_followed_to_their_end() {
    let fanlight = Fanlight::new();
    fanlight.file("many.yaml", SEEDED);
    let said = fanlight.say(&["run", "many.yaml", "--sweep", "seed=1..300"]).exits(0);
    assert_eq!(said.out.lines().count(), 300);
    assert!(said.out.ends_with("many#300\tsaid\tseed 300\n"), "in order");
}

#[test]
fn a_list_that_is_longer_than_the_limit_of_items_is_an_error() {
    let fanlight = Fanlight::new();
    let file = "nodes:
  numbers: { uses: list.range, with: { from: 1, to: 100001 } }
  each: { uses: text.template, each: \"${{ numbers.items }}\", with: { template: x } }
";
    fanlight.file("items.yaml", file).say(&["run", "items.yaml"]).exits(1).complains("100000");
    is_whole(&fanlight);
}

#[test]
fn files_are_written_only_below_allowed_folders_and_never_overwrite() {
    let fanlight = Fanlight::new();
    let file = "params:
  path: { type: text, default: made/it.txt }
  text: { type: text, default: hello }
  over: { type: bool, default: false }
nodes:
  write:
    uses: file.write
    with: { content: \"${{ params.text }}\", path: \"${{ params.path }}\", overwrite: \"${{ params.over }}\" }
  read:
    uses: file.read
    needs: [write]
    with: { path: \"${{ params.path }}\" }
outputs:
  text: \"${{ read.text }}\"
";
    fanlight.file("files.yaml", file);
    let run = |params: &[&str]| {
        let given = params.iter().flat_map(|it| ["-p", *it]);
        fanlight.say(&["run", "files.yaml"].into_iter().chain(given).collect::<Vec<_>>())
    };
    assert_eq!(run(&[]).exits(0).out, "files#1\ttext\thello\n");
    run(&[]).exits(0);
    run(&["text=other"]).exits(1).complains("set `overwrite: true` to replace it");
    assert_eq!(std::fs::read_to_string(fanlight.path("made/it.txt")).unwrap(), "hello");
    run(&["text=other", "over=true"]).exits(0);
    assert_eq!(std::fs::read_to_string(fanlight.path("made/it.txt")).unwrap(), "other");
    run(&["path=/etc/fanlight-test"]).exits(1).complains("is not below an allowed folder");
    run(&["path=../out.txt"]).exits(1).complains("without `..`");
    std::os::unix::fs::symlink("/etc", fanlight.path("link")).unwrap();
    run(&["path=link/fanlight-test"]).exits(1).complains("is not below an allowed folder");
}

#[test]
fn waiting_and_failing_on_purpose() {
    let fanlight = Fanlight::new();
    let file = "nodes:
  nap: { uses: util.sleep, with: { seconds: 0.01 } }
  fail: { uses: util.fail, needs: [nap], with: { message: on purpose } }
";
    fanlight.file("fail.yaml", file).say(&["run", "fail.yaml"]).exits(1).complains("on purpose");
}
