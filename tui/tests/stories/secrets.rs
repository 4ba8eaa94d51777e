//! Secrets: kept by a person, used by nodes, and found nowhere afterwards.

use std::fs::{self, File};
use std::io::{Read as _, Write as _};
use std::net::TcpListener;
use std::os::unix::fs::PermissionsExt as _;
use std::os::unix::net::{UnixListener, UnixStream};
use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::sync::{Arc, Mutex};

use fanlight_shared::home::Home;

use crate::support::{Fanlight, Said, wait_for};
use crate::terminal::Opening;

/// A value with letters that JSON, shells and URLs escape.
const TOKEN: &str = "s3cr3t/tok3n+\"1\"";
const KEY: &str = "k3y-0f-the-d00r";

/// Sets a secret as a script does.
fn set(fanlight: &Fanlight, name: &str, value: &str) -> Said {
    let file = fanlight.path("value");
    fs::write(&file, format!("{value}\n")).unwrap();
    let output =
        crate::support::output(fanlight.command(&["secrets", "set", name]).stdin(File::open(&file).unwrap()));
    fs::remove_file(file).unwrap();
    Said {
        code: output.status.code().unwrap(),
        out: String::from_utf8(output.stdout).unwrap(),
        err: String::from_utf8(output.stderr).unwrap(),
    }
}

fn home(fanlight: &Fanlight) -> PathBuf {
    fanlight.path("../h").canonicalize().unwrap()
}

fn files(folder: &Path, found: &mut Vec<PathBuf>) {
    for entry in fs::read_dir(folder).into_iter().flatten().flatten() {
        match entry.file_type() {
            Ok(kind) if kind.is_dir() => files(&entry.path(), found),
            Ok(kind) if kind.is_file() => found.push(entry.path()),
            _ => {}
        }
    }
}

/// Returns the forms of a value that must not be found.
fn forms(value: &str) -> Vec<String> {
    use base64::Engine as _;
    use base64::engine::general_purpose::{STANDARD_NO_PAD, URL_SAFE_NO_PAD};
    let mut forms = vec![value.to_owned(), value.replace('"', "\\\""), value.replace('"', "%22")];
    for before in 0..3_usize {
        // The digits that depend on the value only.
        let data = [&b"xyz"[..before], value.as_bytes()].concat();
        let digits = (before * 8).div_ceil(6)..data.len() * 8 / 6;
        forms.push(STANDARD_NO_PAD.encode(&data)[digits.clone()].to_owned());
        forms.push(URL_SAFE_NO_PAD.encode(&data)[digits].to_owned());
    }
    let hex: Vec<String> = value.bytes().map(|byte| format!("{byte:02x}")).collect();
    forms.extend([hex.concat(), hex.join(" ")]);
    forms
}

/// Panics if bytes contain a value in any form.
fn assert_free(what: &str, bytes: &[u8]) {
    for form in [TOKEN, KEY].into_iter().flat_map(forms) {
        let found = bytes.windows(form.len()).position(|it| it == form.as_bytes());
        if let Some(at) = found {
            let around = &bytes[at.saturating_sub(60)..(at + form.len() + 20).min(bytes.len())];
            panic!("{what} contains `{form}`: {}", String::from_utf8_lossy(around));
        }
    }
}

/// Panics if a file of the home contains a value, except the file of secrets.
fn assert_home_is_free(fanlight: &Fanlight) {
    let home = home(fanlight);
    wait_for("the clean-up of attempts", || {
        let mut left = Vec::new();
        files(&home.join("state/attempts"), &mut left);
        !left.iter().any(|path| {
            path.ends_with("events.jsonl") || path.iter().any(|it| it == "work" || it == "scratch")
        })
    });
    let mut all = Vec::new();
    files(&home, &mut all);
    assert!(all.len() > 3, "{all:?}");
    for path in all.iter().filter(|path| !path.ends_with("data/secrets.toml")) {
        assert_free(&path.display().to_string(), &fs::read(path).unwrap_or_default());
    }
}

/// Serves requests of one line at a time: the body of the response is the request itself.
fn echo_server() -> String {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    std::thread::spawn(move || {
        for stream in listener.incoming() {
            let Ok(mut stream) = stream else { return };
            let (mut request, mut chunk) = (Vec::new(), [0; 4096]);
            while !request.windows(4).any(|it| it == b"\r\n\r\n") {
                match stream.read(&mut chunk) {
                    Ok(0) | Err(_) => break,
                    Ok(length) => request.extend_from_slice(&chunk[..length]),
                }
            }
            let status = if request.starts_with(b"GET /refuse") { "401 Unauthorized" } else { "200 OK" };
            let head = format!(
                "HTTP/1.1 {status}\r\nContent-Type: text/plain\r\nContent-Length: {}\r\nConnection: close\r\n\r\n",
                request.len()
            );
            let _ = stream.write_all(head.as_bytes()).and_then(|()| stream.write_all(&request));
        }
    });
    url
}

/// Forwards connections to the daemon, and keeps everything that the daemon sends. A server's frames are plain text.
fn recorded(fanlight: &Fanlight) -> (PathBuf, Arc<Mutex<Vec<u8>>>) {
    let home = Home::below(&home(fanlight)).unwrap();
    let name = home.socket.file_name().unwrap().to_owned();
    let (real, other) = (fanlight.path("../run/fanlight").join(&name), fanlight.path("../r2"));
    for folder in [other.clone(), other.join("fanlight")] {
        fs::create_dir(&folder).unwrap();
        fs::set_permissions(&folder, fs::Permissions::from_mode(0o700)).unwrap();
    }
    let listener = UnixListener::bind(other.join("fanlight").join(name)).unwrap();
    let frames: Arc<Mutex<Vec<u8>>> = Arc::default();
    let kept = Arc::clone(&frames);
    std::thread::spawn(move || {
        for client in listener.incoming().flatten() {
            let (client, daemon) = (Arc::new(client), Arc::new(UnixStream::connect(&real).unwrap()));
            let (from, to) = (Arc::clone(&client), Arc::clone(&daemon));
            std::thread::spawn(move || {
                let _ = std::io::copy(&mut &*from, &mut &*to);
                let _ = to.shutdown(std::net::Shutdown::Write);
            });
            let kept = Arc::clone(&kept);
            std::thread::spawn(move || {
                let mut chunk = [0; 4096];
                while let Ok(length @ 1..) = (&*daemon).read(&mut chunk) {
                    kept.lock().unwrap().extend_from_slice(&chunk[..length]);
                    if (&*client).write_all(&chunk[..length]).is_err() {
                        return;
                    }
                }
                let _ = client.shutdown(std::net::Shutdown::Both);
            });
        }
    });
    (other, frames)
}

#[test]
fn a_secret_is_set_from_standard_input_listed_by_name_and_removed() {
    let fanlight = Fanlight::new();
    assert_eq!(fanlight.say(&["secrets", "list"]).exits(0).out, "");
    assert_eq!(set(&fanlight, "token", TOKEN).exits(0).out, "token\tset\n");
    assert_eq!(set(&fanlight, "token", KEY).exits(0).out, "token\treplaced\n");
    let file = home(&fanlight).join("data/secrets.toml");
    assert_eq!(fs::metadata(&file).unwrap().permissions().mode() & 0o777, 0o600);
    let listed = fanlight.say(&["secrets", "list", "--json"]).exits(0);
    assert_eq!(listed.out, "{\"name\":\"token\",\"source\":\"file\"}\n");
    set(&fanlight, "pin", "1234").exits(1).complains("shorter than 8 bytes");
    set(&fanlight, "a-b", KEY).exits(2).complains("`a-b` can't be the name of a secret");
    fanlight.say(&["secrets", "rm", "token"]).exits(2).complains("Remove the secret `token` for good?");
    assert_eq!(fanlight.say(&["secrets", "rm", "token", "--yes"]).exits(0).out, "token\tremoved\n");
    fanlight.say(&["secrets", "rm", "token", "--yes"]).exits(1).complains("there is no secret `token`");
    fs::set_permissions(&file, fs::Permissions::from_mode(0o644)).unwrap();
    fanlight.say(&["secrets", "list"]).exits(1).complains("chmod 600");
    fanlight.say(&["daemon", "status"]).exits(3);
}

/// On macOS another program reads the keyring.
#[cfg(target_os = "linux")]
#[test]
fn a_secret_is_read_from_the_keyring_when_its_node_starts() {
    let fanlight = Fanlight::new();
    fanlight.config("[secrets]\ntoken = \"keyring\"\n");
    let tools = fanlight.path("tools");
    fs::create_dir(&tools).unwrap();
    let program = tools.join("secret-tool");
    let script = format!(
        "#!/bin/sh\n[ \"$*\" = 'lookup service fanlight name token' ] || exit 1\nprintf '%s' '{KEY}'\n"
    );
    fs::write(&program, script).unwrap();
    fs::set_permissions(&program, fs::Permissions::from_mode(0o755)).unwrap();
    let document = "nodes:\n  use:\n    run: 'test \"$token\" = k3y-0f-the-d00r && echo right $token'\n    \
                    with: { token: '${{ secrets.token }}' }\noutputs: { said: '${{ use.stdout }}' }\n";
    fanlight.file("use.yaml", document);
    let path = std::env::join_paths(
        [tools.clone()]
            .into_iter()
            .chain(std::env::split_paths(&std::env::var_os("PATH").unwrap_or_default())),
    );
    // The first command starts the daemon, with this PATH.
    let output = crate::support::output(fanlight.command(&["run", "use.yaml"]).env("PATH", path.unwrap()));
    let said = String::from_utf8_lossy(&output.stderr);
    assert!(!said.contains(KEY), "{said}");
    let log = fanlight.say(&["logs", "last", "use"]).exits(0);
    assert!(log.out.contains("right ***"), "{} {said}", log.out);
    fs::remove_file(&program).unwrap();
    fanlight.say(&["run", "use.yaml"]).exits(1).complains("the secret `token`: `secret-tool`");
}

#[test]
fn a_value_that_is_typed_is_not_shown() {
    let fanlight = Fanlight::new();
    let mut terminal = Opening::new(env!("CARGO_BIN_EXE_fanlight"), fanlight.path(""))
        .arguments(&["secrets", "set", "token"])
        .environment(fanlight.environment())
        .open();
    terminal.wait_for("Value of `token` (it is not shown):");
    terminal.type_text("typed-s3cr3t!");
    terminal.press(&["backspace", "enter"]);
    assert_eq!(terminal.ends().exit_code(), 0);
    let shown = String::from_utf8_lossy(&terminal.raw()).into_owned();
    assert!(shown.contains("set") && !shown.contains("typed"), "{shown}");
    let kept = fs::read_to_string(home(&fanlight).join("data/secrets.toml")).unwrap();
    assert_eq!(kept, "token = \"typed-s3cr3t\"\n");
}

#[test]
fn a_missing_secret_is_named_by_check_and_refused_by_run() {
    let fanlight = Fanlight::new();
    set(&fanlight, "token", TOKEN).exits(0);
    fanlight.file("a.yaml", "nodes: { a: { run: 'true', env: { T: \"${{ secrets.tokn }}\" } } }\n");
    let warned = fanlight.say(&["check", "a.yaml"]).exits(0);
    assert!(warned.err.contains("warning[unknown_secret]: there is no secret `tokn`"), "{}", warned.err);
    fanlight
        .say(&["run", "a.yaml"])
        .exits(2)
        .complains("node `a`: there is no secret `tokn`; type `fanlight secrets set tokn`");
}

/// Prints a secret in many ways; `KEY` comes from the daemon's environment.
const LEAKS: &str = r#"nodes:
  plain: { run: 'echo "out $t"; echo "err $t $K" >&2', with: { t: "${{ secrets.token }}" }, env: { K: "${{ secrets.key }}" } }
  split:
    run: |
      set -x
      for part in "${t%tok3n*}" "${t#*s3cr3t/}"; do printf %s "$part"; done
      printf '%s\n' "$t" | sed 's/./&\x1b[0m/3'
    with: { t: "${{ secrets.token }}" }
  coded:
    run: |
      printf %s "$t" | base64
      printf x%s "$t" | base64 | tr +/ -_
      printf xy%s "$t" | base64 -w 9 >&2
      printf %s "$t" | od -An -tx1
      printf %s "$t" | sed 's/"/\\"/g; s/$/\n/'
      printf %s "$t" | sed 's/"/%22/g; s/$/\n/'
    with: { t: "${{ secrets.token }}" }
  events:
    run: |
      e=$(printf %s "$t" | sed 's/"/\\"/g')
      for type in progress log; do printf '{"type":"%s","message":"at %s"}\n' $type "$e"; done >> "$FANLIGHT_EVENTS"
      printf '{"type":"plan","text":"%0200d %s"}\n' 0 "$e" >> "$FANLIGHT_EVENTS"
      printf '{"type":"tool_call","number":1,"tool":"%s","arguments":{"a":"%s"}}\n' "$e" "$e" >> "$FANLIGHT_EVENTS"
      printf '{"type":"metric","name":"%s","value":1}\n{"type":"%s"}\n' "$e" "$e" >> "$FANLIGHT_EVENTS"
      echo "now" >&2
    with: { t: "${{ secrets.token }}" }
  fails: { run: 'echo "no $t" >&2; exit 3', with: { t: "${{ secrets.token }}" } }
  missing: { run: '"$t"', with: { t: "${{ secrets.token }}" } }
  reported:
    run: printf '{"type":"output","name":"o","value":"%s"}\n' "$k" >> "$FANLIGHT_EVENTS"
    with: { k: "${{ secrets.key }}" }
    outputs: { o: { event: true, type: text } }
  written: { run: 'echo "$k" > f', with: { k: "${{ secrets.key }}" }, outputs: { f: { path: f, type: file } } }
  folder: { run: 'mkdir d; echo "$k" | base64 > d/f', with: { k: "${{ secrets.key }}" }, outputs: { d: { path: d, type: dir } } }
  read: { run: 'echo "$k" > f', with: { k: "${{ secrets.key }}" }, outputs: { f: { path: f, type: text } } }
  field: { run: 'printf "{\"a\":\"%s\"}" "$k"', with: { k: "${{ secrets.key }}" }, outputs: { a: { json: a, type: text } } }
  reader: { run: 'echo "$o"', with: { o: "${{ plain.stdout }}" } }
  echoed: { uses: http.request, with: { url: "URL/take", bearer: "${{ secrets.key }}", local: true } }
  saved: { uses: http.download, with: { url: "URL/save", headers: { X-Key: "${{ secrets.key }}" }, local: true } }
  refused: { uses: http.request, with: { url: "URL/refuse?k=${{ secrets.key }}", local: true, retries: 0 } }
"#;

#[test]
fn no_file_event_or_frame_contains_a_secret_that_nodes_print_in_every_way() {
    let fanlight = Fanlight::new();
    set(&fanlight, "token", TOKEN).exits(0);
    fs::create_dir_all(home(&fanlight).join("config")).unwrap();
    fs::write(home(&fanlight).join("config/config.toml"), "[secrets]\nkey = { env = \"THE_KEY\" }\n")
        .unwrap();
    fanlight.file("leaks.yaml", &LEAKS.replace("URL", &echo_server()));
    let started = crate::support::output(fanlight.command(&["daemon", "start"]).env("THE_KEY", KEY));
    assert!(started.status.success());
    let (runtime, frames) = recorded(&fanlight);
    let watched = crate::support::output(
        fanlight
            .command(&["run", "leaks.yaml", "--json"])
            .env("XDG_RUNTIME_DIR", runtime)
            .stdout(Stdio::piped()),
    );
    assert_eq!(watched.status.code(), Some(1), "{}", String::from_utf8_lossy(&watched.stderr));
    assert_free("stdout of `run --json`", &watched.stdout);
    assert_free("stderr of `run --json`", &watched.stderr);
    let frames = frames.lock().unwrap().clone();
    assert!(frames.len() > 10_000, "{} bytes", frames.len());
    assert_free("the frames", &frames);

    let shown = fanlight.say(&["show", "last", "--json"]).exits(0);
    assert_free("`show`", shown.out.as_bytes());
    let run = &shown.json()[0];
    let error = |node: &str| {
        run["nodes"].as_array().map_or_else(
            || run["nodes"][node]["error"].to_string(),
            |nodes| {
                nodes.iter().find(|it| it["name"] == node).map_or(String::new(), |it| it["error"].to_string())
            },
        )
    };
    for (node, part) in [
        ("fails", "exit code 3"),
        ("reported", "contains a secret, and outputs are stored"),
        ("written", "contains the secret `key`, and outputs are stored"),
        ("folder", "contains the secret `key`, and outputs are stored"),
        ("read", "contains the secret `key`, and outputs are stored"),
        ("field", "stdout contains a secret, which is masked"),
        ("reader", "stdout contains a secret, which is masked, so it can't be passed on"),
        ("echoed", "the response contains the secret `key`, and outputs are stored"),
        ("saved", "the response contains the secret `key`, and outputs are stored"),
        ("refused", "the server answered 401 Unauthorized: GET /refuse?k=*** HTTP/1.1"),
    ] {
        assert!(error(node).contains(part), "{node}: {}", error(node));
    }
    let mut logs = String::new();
    for node in ["plain", "split", "coded", "events", "fails", "missing"] {
        let said = fanlight.say(&["logs", "last", node]).exits(0);
        assert_free(node, said.out.as_bytes());
        logs += &said.out;
    }
    for part in ["out ***", "err *** ***", "no ***", "info: at ***"] {
        assert!(logs.contains(part), "no `{part}` in {logs}");
    }
    assert_home_is_free(&fanlight);
    fanlight.say(&["daemon", "stop"]).exits(0);
    assert_home_is_free(&fanlight);
}

#[test]
fn a_command_that_outlives_its_daemon_is_still_masked_when_its_secret_is_gone() {
    let fanlight = Fanlight::new();
    set(&fanlight, "token", TOKEN).exits(0);
    fanlight.file(
        "a.yaml",
        "nodes:
  a:
    run: |
      e=$(printf %s \"$t\" | sed 's/\"/\\\\\"/g')
      : > \"$FANLIGHT_PROJECT/begun\"
      until [ -e \"$FANLIGHT_PROJECT/go\" ]; do sleep 0.05; done
      echo \"out $t\"
      printf '{\"type\":\"log\",\"message\":\"at %s\"}\\n' \"$e\" >> \"$FANLIGHT_EVENTS\"
    with: { t: \"${{ secrets.token }}\" }
",
    );
    fanlight.say(&["run", "a.yaml", "--detach"]).exits(0);
    wait_for("the command", || fanlight.path("begun").exists());
    fanlight.kill_daemon();
    fanlight.say(&["secrets", "rm", "token", "--yes"]).exits(0);
    fanlight.say(&["daemon", "start"]).exits(0);
    fanlight.file("go", "");
    fanlight.await_states(&["completed"]);
    let logs = fanlight.say(&["logs", "last", "a"]).exits(0).out;
    assert!(logs.contains("out ***") && logs.contains("info: at ***"), "{logs}");
    assert_home_is_free(&fanlight);
    // Another run needs the secret again.
    fanlight.say(&["run", "a.yaml"]).exits(2).complains("there is no secret `token`");
}

#[test]
fn a_saved_picture_has_the_name_of_a_secret_in_its_recipe_and_never_the_value() {
    let fanlight = Fanlight::new();
    set(&fanlight, "token", TOKEN).exits(0);
    fanlight.file(
        "stamp.yaml",
        "nodes:
  sky: { uses: image.generate, with: { width: 8, height: 8 } }
  stamp:
    run: test -n \"$token\" && cp \"$image\" out.png
    with: { image: \"${{ sky.image }}\", token: \"${{ secrets.token }}\" }
    outputs: { image: { path: out.png, type: image } }
outputs: { stamp: \"${{ stamp.image }}\" }
",
    );
    fanlight.say(&["run", "stamp.yaml", "--out", "o"]).exits(0);
    let saved = fs::read(fanlight.path("o/stamp-1/stamp.png")).unwrap();
    let has = |text: &str| saved.windows(text.len()).any(|part| part == text.as_bytes());
    assert!(has("\"secrets\":[\"token\"]"));
    for form in forms(TOKEN) {
        assert!(!has(&form), "{form}");
    }
}
