//! The developer kit of plugins: the helper for Python, a plugin that uses it, and new plugins in each language.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use crate::support::{Fanlight, png_size, wait_for};

/// Returns whether a program is there; prints that the story is skipped otherwise.
fn has(program: &str) -> bool {
    let has = Command::new("sh").args(["-c", "command -v \"$0\"", program]).output();
    let has = has.is_ok_and(|it| it.status.success());
    if !has {
        fanlight_shared::testing::skip(&format!("there is no {program}"));
    }
    has
}

fn plugins() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../workflows/plugins")
}

/// Adds a plugin in Python whose program is this, with the helper.
fn add_python(fanlight: &Fanlight, program: &str) {
    fs::create_dir_all(fanlight.path("kit")).unwrap();
    fs::copy(plugins().join("fanlight_plugin.py"), fanlight.path("kit/fanlight_plugin.py")).unwrap();
    let manifest = "name = \"kit\"\nversion = \"1\"\nprotocol = 1\ncommand = [\"python3\", \"kit.py\"]\n";
    fanlight.file("kit/plugin.toml", &format!("{manifest}concurrent = 2\n")).file("kit/kit.py", program);
    fanlight.say(&["plugin", "add", "kit", "--yes"]).exits(0);
}

/// The QR code of `fanlight`, drawn by the package `qrcode` of PyPI too.
const CODE: &str = "█▀▀▀▀▀█ ▀▀█▄  █▀▀▀▀▀█
█ ███ █ ▀█  █ █ ███ █
█ ▀▀▀ █ ▄▀  ▀ █ ▀▀▀ █
▀▀▀▀▀▀▀ ▀ ▀▄▀ ▀▀▀▀▀▀▀
█▄█ ▄▄▀▀▄█▄▀▀▄ █▄ ▀ █
▀ ▀█▄█▀██▄▀ ▄▀▀ ▀▄▀ █
▀ ▀  ▀▀ ▄ ▄▄ ██▀▄█▄ █
█▀▀▀▀▀█ ▀▄▀█▀█▄▄██  ▀
█ ███ █  ▄▀▀▀▀▀ ██▄▀
█ ▀▀▀ █ ▀▄█ ▄ ▀▄▀█▀▀▀
▀▀▀▀▀▀▀ ▀▀    ▀▀ ▀  ▀";

#[test]
fn the_example_plugin_draws_qr_codes() {
    if !has("python3") {
        return;
    }
    let fanlight = Fanlight::new();
    // Python writes beside its files.
    fs::create_dir(fanlight.path("qr")).unwrap();
    for entry in fs::read_dir(plugins().join("qr")).unwrap() {
        let entry = entry.unwrap();
        if entry.path().is_file() {
            fs::copy(entry.path(), fanlight.path("qr").join(entry.file_name())).unwrap();
        }
    }
    fanlight.say(&["plugin", "test", "qr"]).exits(0);
    fanlight.say(&["plugin", "add", "qr", "--yes"]).exits(0);
    let guests = r#"guests=["Ada","Grace"]"#;
    fanlight.say(&["run", "qr/cards.yaml", "-p", guests, "--out", "out"]).exits(0);
    assert!(png_size(&fanlight.path("out/cards-1/sheet.png")).0 > 400);

    fanlight.file(
        "code.yaml",
        "params: { text: { type: text } }
nodes: { a: { uses: qr.code, with: { text: '${{ params.text }}', border: 0, scale: 2 } } }
outputs: { image: '${{ a.image }}', text: '${{ a.text }}', modules: '${{ a.modules }}' }",
    );
    let said = fanlight.say(&["run", "code.yaml", "-p", "text=fanlight", "--out", "out", "--json"]).exits(0);
    let outputs = said.json().pop().unwrap()["runs"][0]["outputs"].clone();
    assert_eq!((outputs["modules"].as_i64(), outputs["text"].as_str()), (Some(21), Some(CODE)));
    assert_eq!(png_size(&fanlight.path("out/code-1/image.png")), (42, 42));
    fanlight.file("long.txt", &"x".repeat(2332));
    let long = fanlight.say(&["run", "code.yaml", "-p", "text=@long.txt"]);
    long.exits(1).complains("the text has 2332 bytes, and a QR code at most 2331");
}

#[test]
fn a_new_plugin_works_as_it_is_in_each_language() {
    for (lang, needs) in [("python", "python3"), ("node", "node"), ("bash", "jq")] {
        if !has(needs) {
            continue;
        }
        let fanlight = Fanlight::new();
        let made = fanlight.say(&["plugin", "new", "echo", "--lang", lang]).exits(0).out;
        assert!(made.contains("add it with `fanlight plugin add echo`"), "{made}");
        works(&fanlight);
    }
}

/// Checks the plugin `echo` of a template: added, and run.
fn works(fanlight: &Fanlight) {
    fanlight.say(&["plugin", "test", "echo"]).exits(0);
    assert_eq!(fanlight.say(&["plugin", "add", "echo", "--yes"]).exits(0).out, "echo.repeat\tadded\n");
    assert_eq!(
        fanlight.say(&["run", "echo/example.yaml"]).exits(0).out,
        "example#1\ttext\thello hello hello\n"
    );
    let odd = "text=\"gr\u{fc}n\" \\ $(id)\n";
    let said = fanlight.say(&["run", "echo/example.yaml", "--json", "-p", odd]).exits(0);
    let text = &odd["text=".len()..];
    let outputs = said.json().pop().unwrap()["runs"][0]["outputs"].clone();
    assert_eq!(outputs["text"], format!("{text} {text} {text}"));
}

#[test]
fn a_new_plugin_in_rust_works_after_it_is_built() {
    if !has("cargo") {
        return;
    }
    let fanlight = Fanlight::new();
    let made = fanlight.say(&["plugin", "new", "echo", "--lang", "rust"]).exits(0).out;
    assert!(made.contains("cargo build --release --manifest-path echo/Cargo.toml"), "{made}");
    let main = fs::read_to_string(fanlight.path("echo/src/main.rs")).unwrap();
    let parts = "    let mut parts";
    let main = main.replace(parts, &format!("    assert_ne!(text, \"panic\", \"out of luck\");\n{parts}"));
    fanlight.file("echo/src/main.rs", &main);
    let built = Command::new("cargo")
        .args(["build", "--release", "--offline", "--quiet"])
        // Nothing is measured.
        .env("CARGO_PROFILE_RELEASE_OPT_LEVEL", "0")
        .env_remove("CARGO_TARGET_DIR")
        .current_dir(fanlight.path("echo"))
        .output()
        .unwrap();
    let said = String::from_utf8_lossy(&built.stderr);
    if !built.status.success() && said.contains("offline") {
        fanlight_shared::testing::skip(&format!("serde_json is not here: {said}"));
        return;
    }
    assert!(built.status.success(), "{said}");
    works(&fanlight);
    let failed = fanlight.say(&["run", "echo/example.yaml", "-p", "text=panic"]).exits(1);
    failed.complains("it crashed with signal 6").complains("out of luck");
}

#[test]
fn a_command_that_fails_in_a_new_plugin_in_bash_fails_the_node() {
    if !has("jq") {
        return;
    }
    let fanlight = Fanlight::new();
    fanlight.say(&["plugin", "new", "echo", "--lang", "bash"]).exits(0);
    let program = fs::read_to_string(fanlight.path("echo/echo.sh")).unwrap();
    fanlight.file("echo/echo.sh", &program.replace("    report progress", "    false\n    report progress"));
    fanlight.say(&["plugin", "add", "echo", "--yes"]).exits(0);
    fanlight.say(&["run", "echo/example.yaml"]).exits(1).complains("it failed");

    fanlight.file("echo/echo.sh", &program.replace("echo.repeat) ", "echo.old) "));
    fanlight.say(&["plugin", "add", "echo", "--yes"]).exits(0);
    fanlight.say(&["run", "echo/example.yaml"]).exits(1).complains("there is no such node type");
}

#[test]
fn a_new_plugin_in_python_may_be_named_like_a_module_of_python() {
    if !has("python3") {
        return;
    }
    let fanlight = Fanlight::new();
    fanlight.say(&["plugin", "new", "token", "--lang", "python"]).exits(0);
    fanlight.say(&["plugin", "add", "token", "--yes"]).exits(0);
    fanlight.say(&["run", "token/example.yaml"]).exits(0);
}

#[test]
fn a_new_plugin_takes_nobody_s_place() {
    let fanlight = Fanlight::new();
    fanlight.file("mine", "mine");
    fanlight.say(&["plugin", "new", "mine"]).exits(1).complains("`mine` exists already");
    assert_eq!(fs::read_to_string(fanlight.path("mine")).unwrap(), "mine");
    fanlight.say(&["plugin", "new", "../up"]).exits(2).complains("can't be the name of a plugin");
    fanlight.say(&["plugin", "new", "text"]).exits(2).complains("is the family of the node type `text.");
    assert!(!fanlight.path("text").exists());
}

#[test]
fn annotations_become_ports_and_files_come_and_go_as_paths() {
    if !has("python3") {
        return;
    }
    let fanlight = Fanlight::new();
    add_python(
        &fanlight,
        r#"
from typing import Annotated, Any, List, Literal, Optional, TypedDict
from fanlight_plugin import File, Image, chunk, folder, log, node, run

class Made(TypedDict):
    copies: Annotated[List[Image], "The pictures again."]
    note: Annotated[File, "A file."]
    words: Annotated[str, "What came."]

@node("kit.all", effects="none", version=3)
def everything(
    images: Annotated[List[Image], "Pictures."],
    data: Annotated[Any, "Anything."],
    how: Annotated[Literal["fast", "slow"], "How."] = "fast",
    weight: Annotated[float, "A number.", {"min": 0}] = 0.5,
    name: Annotated[Optional[str], "A name."] = None,
) -> Made:
    """Takes one of
    everything.

    More is for readers."""
    print("printed")
    log("logged", level="warn")
    chunk("Once upon a time")
    copies = []
    for at, image in enumerate(images):
        copies.append(folder() / f"{at}.png")
        copies[-1].write_bytes(image.read_bytes())
    (folder() / "note.txt").write_text("a note")
    words = f"{images[0].about['width']} {data['a']} {how} {weight} {name}"
    return {"copies": copies, "note": folder() / "note.txt", "words": words}

@node("kit.fail")
def fail(text: str) -> str:
    return text.no_such_thing

run("kit")
"#,
    );
    let shown = fanlight.say(&["nodes", "kit.all"]).exits(0).out;
    for words in
        ["Takes one of everything.", "list<image>", "How. (fast, slow)", "A number. (at least 0)", "A name."]
    {
        assert!(shown.contains(words), "no `{words}` in {shown}");
    }
    fanlight.file(
        "all.yaml",
        "nodes:
  pictures: { each: '${{ range(0, 2) }}', uses: image.generate, with: { width: 8, height: 9, seed: '${{ item }}' } }
  a: { uses: kit.all, with: { images: '${{ pictures.image }}', data: { a: [1, 2] }, weight: 2 } }
outputs: { copies: '${{ a.copies }}', note: '${{ a.note }}', words: '${{ a.words }}' }",
    );
    fanlight.say(&["run", "all.yaml", "--out", "out"]).exits(0);
    let text = |name: &str| fs::read_to_string(fanlight.path("out/all-1").join(name)).unwrap();
    assert_eq!((text("words.txt").trim(), text("note.txt").as_str()), ("8 [1, 2] fast 2.0 None", "a note"));
    // Files in lists keep their names.
    let copies: Vec<_> = fs::read_dir(fanlight.path("out/all-1/copies")).unwrap().collect();
    assert_eq!(copies.len(), 2);
    copies.into_iter().for_each(|copy| assert_eq!(png_size(&copy.unwrap().path()), (8, 9)));
    let log = fanlight.say(&["logs", "last"]).exits(0).out;
    assert!(log.contains("printed") && log.contains("logged") && log.contains("Once upon a time"), "{log}");

    fanlight.file("fail.yaml", "nodes: { a: { uses: kit.fail, with: { text: hi } } }");
    let failed = fanlight.say(&["run", "fail.yaml"]).exits(1);
    failed.complains("AttributeError: 'str' object has no attribute 'no_such_thing'");
    assert!(fanlight.say(&["logs", "last"]).out.contains("Traceback"));
}

#[test]
fn a_cancel_is_an_exception_of_the_function_and_spares_its_process() {
    if !has("python3") {
        return;
    }
    let fanlight = Fanlight::new();
    add_python(
        &fanlight,
        r#"
import os
from fanlight_plugin import Cancelled, log, node, progress, run

@node("kit.endless", effects="none")
def endless(path: str) -> str:
    try:
        log("it runs")
        while True:
            progress(0.5)
    except Cancelled:
        open(path, "w").write(str(os.getpid()))
        raise

@node("kit.pid", effects="none")
def pid() -> int:
    return os.getpid()

run("kit")
"#,
    );
    let file = fanlight.path("cancelled");
    let path = file.to_str().unwrap();
    fanlight
        .file("endless.yaml", &format!("nodes: {{ a: {{ uses: kit.endless, with: {{ path: {path} }} }} }}"));
    fanlight.file("pid.yaml", "nodes: { a: { uses: kit.pid } }\noutputs: { pid: '${{ a.result }}' }");
    fanlight.say(&["run", "endless.yaml", "--detach"]).exits(0);
    wait_for("its log", || fanlight.say(&["logs", "last"]).out.contains("it runs"));
    let beside = fanlight.say(&["run", "pid.yaml"]).exits(0).out;
    fanlight.say(&["cancel", "endless#1", "--wait"]).exits(0);
    let pid = fs::read_to_string(&file).unwrap();
    assert_eq!(beside, format!("pid#1\tpid\t{pid}\n"), "both ran in one process");
    assert_eq!(fanlight.say(&["run", "pid.yaml"]).exits(0).out, format!("pid#2\tpid\t{pid}\n"));
}

/// A node type that waits for a file, and one that ends its thread.
const LEAVING: &str = r#"
import os, sys, time
from fanlight_plugin import log, node, run

@node("kit.hold", effects="none")
def hold(path: str) -> bool:
    log("it waits")
    while not os.path.exists(path):
        time.sleep(0.02)
    return True

@node("kit.leave", effects="none")
def leave() -> str:
    sys.exit("it leaves")

run("kit")
"#;

#[test]
fn a_function_that_exits_fails_its_node_alone() {
    if !has("python3") {
        return;
    }
    let fanlight = Fanlight::new();
    add_python(&fanlight, LEAVING);
    let path = fanlight.path("go");
    let path = path.to_str().unwrap();
    fanlight.file("hold.yaml", &format!("nodes: {{ a: {{ uses: kit.hold, with: {{ path: {path} }} }} }}"));
    fanlight.file("leave.yaml", "nodes: { a: { uses: kit.leave } }");
    fanlight.say(&["run", "leave.yaml"]).exits(1).complains("SystemExit: it leaves");
    // The main thread is busy, so another one executes it.
    fanlight.say(&["run", "hold.yaml", "--detach"]).exits(0);
    wait_for("its log", || fanlight.say(&["logs", "last"]).out.contains("it waits"));
    fanlight.say(&["run", "leave.yaml"]).exits(1).complains("SystemExit: it leaves");
    fanlight.file("go", "");
    fanlight.say(&["watch", "hold#1"]).exits(0);
}

#[test]
fn a_process_that_can_take_no_more_requests_ends() {
    if !has("python3") {
        return;
    }
    let fanlight = Fanlight::new();
    add_python(&fanlight, LEAVING);
    fanlight.file("requests", "this is not JSON\n");
    let ended = Command::new("sh")
        .args(["-c", "exec python3 kit/kit.py 3<requests 4>responses"])
        .current_dir(fanlight.path(""))
        .output()
        .unwrap();
    assert_eq!(ended.status.code(), Some(1));
    assert!(String::from_utf8_lossy(&ended.stderr).contains("JSONDecodeError"));
}
