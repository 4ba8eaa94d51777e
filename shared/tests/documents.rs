//! Good files pass. Every bad file gets exactly the problems that its first lines name, and the full message is in a
//! file next to it. `UPDATE_EXPECTED=1` updates those messages.

#![allow(clippy::unwrap_used, clippy::panic)]

#[path = "documents/catalogue.rs"]
mod catalogue;

use std::fmt::Write as _;
use std::fs;
use std::path::{Path, PathBuf};

use fanlight_shared::document::{read, render_problems};
use fanlight_shared::problem::Problem;

fn files(folder: &str) -> Vec<PathBuf> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests").join(folder);
    let mut files: Vec<PathBuf> = fs::read_dir(folder)
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .filter(|path| path.extension().is_some_and(|ext| ext == "yaml"))
        .collect();
    files.sort();
    files
}

fn name(path: &Path) -> String {
    path.file_name().unwrap().to_string_lossy().into_owned()
}

fn problems(text: &str) -> Vec<Problem> {
    match read(text, &catalogue::catalogue()) {
        Ok(checked) => checked.warnings,
        Err(problems) => problems,
    }
}

#[test]
fn valid_files_pass() {
    let files = files("good");
    assert!(!files.is_empty());
    for path in files {
        let text = fs::read_to_string(&path).unwrap();
        let found = problems(&text);
        assert!(found.is_empty(), "{}", render_problems(&found, &name(&path), &text));
        assert!(read(&text, &catalogue::catalogue()).is_ok());
    }
}

#[test]
fn bad_files_get_the_problems_they_name() {
    let files = files("bad");
    assert!(files.len() >= 45, "only {} bad files", files.len());
    let mut wrong = String::new();
    for path in files {
        let text = fs::read_to_string(&path).unwrap();
        let expected: Vec<String> =
            text.lines().map_while(|line| line.strip_prefix("# expect: ")).map(str::to_owned).collect();
        assert!(!expected.is_empty(), "{} names no problem", path.display());
        let found = problems(&text);
        let got: Vec<String> = found
            .iter()
            .map(|it| format!("{} {}:{}", it.code, it.span.start.line, it.span.start.column))
            .collect();
        let message = render_problems(&found, &name(&path), &text);
        if got != expected {
            let _ = writeln!(wrong, "{}\nexpected {expected:?}\ngot      {got:?}\n{message}", path.display());
            continue;
        }
        let beside = path.with_extension("expected");
        if std::env::var_os("UPDATE_EXPECTED").is_some() {
            fs::write(&beside, &message).unwrap();
        }
        let reviewed = fs::read_to_string(&beside).unwrap_or_default();
        if reviewed != message {
            let _ =
                writeln!(wrong, "{}: the message changed\nwas:\n{reviewed}\nis:\n{message}", path.display());
        }
    }
    assert!(wrong.is_empty(), "{wrong}");
}

#[test]
fn the_schema_knows_the_types_and_their_inputs() {
    let schema = fanlight_shared::document::schema(&catalogue::catalogue());
    let node = &schema["$defs"]["node"];
    let names: Vec<&str> = node["properties"]["uses"]["anyOf"]
        .as_array()
        .unwrap()
        .iter()
        .filter_map(|it| it["const"].as_str())
        .collect();
    assert!(names.contains(&"image.blend"), "{names:?}");
    let blend = node["allOf"].as_array().unwrap().iter();
    let blend = blend.map(|it| (&it["if"]["properties"]["uses"]["const"], &it["then"]));
    let (_, blend) = blend.into_iter().find(|(name, _)| *name == "image.blend").unwrap();
    assert_eq!(blend["properties"]["with"]["required"], serde_json::json!(["base", "top"]));
    assert_eq!(blend["properties"]["with"]["additionalProperties"], false);
    assert_eq!(blend["required"], serde_json::json!(["with"]));
}
