//! Stories about changed files.

use fanlight_shared::media::{DirEntry, DirManifest};
use fanlight_shared::run::RunStatus;
use fanlight_shared::value::Value;

use super::*;
use crate::ui::layer::compare::Compare;
use crate::ui::layer::viewer::Viewer;
use crate::ui::testing::{asset, fail, paint, press, response, run, screen, with_runs};

const BEFORE: &str = "fn main() {\n    // says hello\n    println!(\"hello\");\n}\n";
const AFTER: &str =
    "fn main() {\n    // says hello\n    let name = \"Hove\";\n    println!(\"hello {name}\");\n}\n";

fn folder(files: &[(&str, &str)]) -> DirManifest {
    let entry = |(path, text): &(&str, &str)| DirEntry {
        path: (*path).to_owned(),
        hash: BlobHash::of(text.as_bytes()),
        bytes: if path.ends_with("huge") { 5 << 20 } else { text.len() as u64 },
        executable: false,
    };
    DirManifest { files: files.iter().map(entry).collect(), ..DirManifest::default() }
}

/// Compares the folders of two runs, and presses `enter`.
fn compared() -> Model {
    let runs = [run(1, RunStatus::Completed), run(2, RunStatus::Completed)];
    let mut model = with_runs(&runs);
    let products: Vec<Asset> = runs
        .iter()
        .map(|of| Asset { name: "site".into(), ..asset(of.number, of, "build", AssetKind::Dir) })
        .collect();
    model.layers.push(Compare::of_products(products).into());
    let effects = press(&mut model, "enter");
    let asked = |it: &&Effect| matches!(it, Effect::GetManifest(_));
    assert_eq!(effects.iter().filter(asked).count(), 2);
    let files = [
        [
            ("src/main.rs", BEFORE),
            ("same.txt", "same"),
            ("old.txt", "gone\n"),
            ("pic.png", "1"),
            ("huge", "a"),
        ],
        [
            ("src/main.rs", AFTER),
            ("same.txt", "same"),
            ("new.txt", "one\ntwo\n"),
            ("pic.png", "2"),
            ("huge", "b"),
        ],
    ];
    for (of, files) in [1, 2].into_iter().zip(files) {
        response(&mut model, Response::Manifest(crate::ui::testing::asset_id(of), folder(&files)));
    }
    model
}

/// Returns the other of the two folders.
fn again_of(model: &Model, one: AssetId) -> AssetId {
    let layer = model.layers.last().and_then(|layer| layer.downcast_ref::<Changes>()).unwrap();
    let Source::Folders(both) = &layer.source else { panic!("{:?}", layer.source) };
    *both.iter().find(|it| **it != one).unwrap()
}

/// Delivers the files that the screen requests.
fn deliver(model: &mut Model, effects: Vec<Effect>) {
    let texts = [BEFORE, AFTER, "gone\n", "one\ntwo\n"];
    for effect in effects {
        let Effect::GetFile(asset, hash) = effect else { continue };
        let text = texts.iter().find(|text| BlobHash::of(text.as_bytes()) == hash);
        let text = text.map_or(FileText::Binary, |text| FileText::Text((*text).to_owned()));
        response(model, Response::File(asset, hash, text));
    }
}

#[test]
fn two_folders_are_compared_file_by_file() {
    let mut model = compared();
    let effects = paint(&mut model, 100, 30);
    deliver(&mut model, effects);
    let shown = screen(&mut model, 100, 30);
    assert!(shown.contains("poster#1 and poster#2 · 3 changed · 1 added · 1 removed · 1 equal"), "{shown}");
    assert!(shown.contains("+2 -1") && shown.contains("+0 -1") && shown.contains("+2 -0"), "{shown}");
    insta::assert_snapshot!("changes__folders__100x30", shown);
    press(&mut model, "G enter");
    let shown = screen(&mut model, 100, 30);
    for line in
        ["src/main.rs · 5 of 5", "+     let name = \"Hove\";", "-     println!(\"hello\");", "  fn main() {"]
    {
        assert!(shown.contains(line), "{line}: {shown}");
    }
    insta::assert_snapshot!("changes__diff__100x30", shown);
    for (columns, rows) in [(1, 1), (5, 3), (20, 6), (40, 9), (200, 60)] {
        let _ = screen(&mut model, columns, rows);
    }
    press(&mut model, "l n N j k G g g h");
    assert!(screen(&mut model, 100, 30).contains("pic.png · 4 of 5"));
    assert!(screen(&mut model, 100, 30).contains("its contents differ, and are not a text"));
    press(&mut model, "esc esc");
    assert!(model.layers.last().is_some_and(|layer| layer.is::<Compare>()));
}

#[test]
fn two_texts_are_compared_line_by_line() {
    let runs = [run(1, RunStatus::Completed), run(2, RunStatus::Completed)];
    let mut model = with_runs(&runs);
    let made = |at: usize, name: &str, kind| {
        let of = &runs[at];
        Asset { name: name.into(), ..asset(of.number, of, "write", kind) }
    };
    let open = |model: &mut Model, sides: [Asset; 2]| {
        model.layers.clear();
        let ids = [sides[0].id, sides[1].id];
        model.layers.push(Compare::of_products(sides.to_vec()).into());
        let _ = screen(model, 100, 30);
        let effects = press(model, "enter");
        assert_eq!(effects.iter().filter(|it| matches!(it, Effect::GetText(_))).count(), 2, "{effects:?}");
        ids
    };
    let sides = [0, 1].map(|at| made(at, "main.rs", AssetKind::File));
    let ids = open(&mut model, sides.clone());
    assert!(screen(&mut model, 100, 30).contains("the texts are being read"));
    fail(&mut model, Effect::GetText(ids[0]), "the blob is missing");
    assert!(screen(&mut model, 100, 30).contains("the blob is missing"));
    for (id, text) in ids.into_iter().zip([BEFORE, AFTER]) {
        response(&mut model, Response::Text(id, text.to_owned()));
    }
    let shown = screen(&mut model, 100, 30);
    assert!(shown.contains("main.rs of poster#1 and poster#2 · +2 -1"), "{shown}");
    insta::assert_snapshot!("changes__texts__100x30", shown);
    press(&mut model, "n j l h");
    press(&mut model, "esc");
    assert!(model.layers.last().is_some_and(|layer| layer.is::<Compare>()), "there is no list of one file");

    let values = [0, 1].map(|at| made(at, "poem.txt", AssetKind::Text));
    let ids = open(&mut model, values);
    for id in ids {
        response(&mut model, Response::Text(id, "same\n".into()));
    }
    assert!(screen(&mut model, 100, 30).contains("the contents are equal"));
    let long = sides.map(|side| Asset { bytes: 5 << 20, name: "train.log".into(), ..side });
    let ids = open(&mut model, long);
    for (id, text) in ids.into_iter().zip(["a\nb\nha", "a\nc\nhalf"]) {
        response(&mut model, Response::Text(id, text.into()));
    }
    let shown = screen(&mut model, 100, 30);
    assert!(shown.contains("+1 -1 · only the beginning") && !shown.contains("half"), "{shown}");
    let numbers = [0, 1].map(|at| made(at, "loss", AssetKind::Number));
    model.layers.push(Compare::of_products(numbers.to_vec()).into());
    press(&mut model, "enter");
    assert!(screen(&mut model, 100, 30).contains("this needs two texts, folders or patches"));
}

#[test]
fn a_huge_file_and_a_missing_one_get_a_sentence() {
    let mut model = compared();
    let effects = press(&mut model, "enter");
    assert!(!effects.iter().any(|it| matches!(it, Effect::GetFile(..))), "it is not fetched");
    assert!(screen(&mut model, 100, 30).contains("it is larger than 1 MB"));
    press(&mut model, "esc");
    let effects = press(&mut model, "j enter");
    let request = effects.into_iter().find(|it| matches!(it, Effect::GetFile(..))).unwrap();
    fail(&mut model, request.clone(), "the blob is missing");
    assert!(screen(&mut model, 100, 30).contains("it can't be read: the blob is missing"));
    deliver(&mut model, vec![request]);
    assert!(screen(&mut model, 100, 30).contains("+ one"), "the repeated request");

    let mut model = compared();
    let again = press(&mut model, "esc enter");
    let request = again.into_iter().find(|it| matches!(it, Effect::GetManifest(_))).unwrap();
    let Effect::GetManifest(failed) = request else { unreachable!() };
    let other = again_of(&model, failed);
    fail(&mut model, request, "the asset is gone");
    response(&mut model, Response::Manifest(other, folder(&[("a", "1")])));
    assert!(screen(&mut model, 100, 30).contains("the asset is gone"));
    response(&mut model, Response::Manifest(failed, folder(&[("a", "1")])));
    assert!(screen(&mut model, 100, 30).contains("all files are equal"));
}

#[test]
fn what_looks_like_no_change_gets_a_sentence() {
    let mut model = compared();
    for (of, files) in [(1, [("gone", ""), ("x", "1")]), (2, [("new", ""), ("x", "1")])] {
        response(&mut model, Response::Manifest(crate::ui::testing::asset_id(of), folder(&files)));
    }
    let answer = |model: &mut Model, effects: Vec<Effect>| {
        for effect in effects {
            let Effect::GetFile(asset, hash) = effect else { continue };
            response(model, Response::File(asset, hash, FileText::Text(String::new())));
        }
    };
    let effects = press(&mut model, "enter");
    answer(&mut model, effects);
    assert!(screen(&mut model, 100, 30).contains("it was empty, and is removed"));
    let effects = press(&mut model, "l");
    answer(&mut model, effects);
    assert!(screen(&mut model, 100, 30).contains("it is new, and empty"));
}

#[test]
fn many_files_of_the_same_two_texts_are_counted_at_once_and_scrolled_by_a_key() {
    let mut model = compared();
    let paths: Vec<String> = (0..5_000).map(|at| format!("file{at:04}")).collect();
    let long: Vec<String> = (0..100).map(|line| format!("line {line}\n")).collect();
    let long = long.concat();
    for (of, text) in [(1, BEFORE), (2, long.as_str())] {
        let files: Vec<(&str, &str)> = paths.iter().map(|path| (path.as_str(), text)).collect();
        response(&mut model, Response::Manifest(crate::ui::testing::asset_id(of), folder(&files)));
    }
    for effect in press(&mut model, "enter") {
        let Effect::GetFile(asset, hash) = effect else { continue };
        let text = [BEFORE, &long].into_iter().find(|text| BlobHash::of(text.as_bytes()) == hash).unwrap();
        response(&mut model, Response::File(asset, hash, FileText::Text(text.to_owned())));
    }
    let _ = screen(&mut model, 100, 30);
    press(&mut model, "G");
    let end = screen(&mut model, 100, 30);
    assert!(end.contains("line 99"), "{end}");
    press(&mut model, "k");
    assert!(!screen(&mut model, 100, 30).contains("line 99"));
    press(&mut model, "esc");
    let shown = screen(&mut model, 100, 30);
    assert_eq!(shown.matches("+100 -4").count(), shown.matches("~ file").count(), "{shown}");
    press(&mut model, "G");
    assert!(screen(&mut model, 100, 30).contains("+100 -4"));
}

#[test]
fn the_viewer_lists_the_files_of_a_patch_and_of_a_folder() {
    let of = run(1, RunStatus::Completed);
    let mut model = with_runs(std::slice::from_ref(&of));
    let patch =
        "diff --git a/a.py b/a.py\n--- a/a.py\n+++ b/a.py\n@@ -1 +1,2 @@\n-x = 1\n+x = 2\n+y = \"z\"\n";
    let made =
        Asset { name: "changes.patch".into(), bytes: 10_000_000, ..asset(1, &of, "fix", AssetKind::File) };
    model.layers.push(Viewer::new(made.clone()).into());
    let effects = press(&mut model, "enter");
    assert!(effects.contains(&Effect::GetText(made.id)), "{effects:?}");
    response(&mut model, Response::Text(made.id, format!("{patch}+z\u{2028}z\n")));
    let shown = screen(&mut model, 100, 30);
    assert!(shown.contains("changes.patch of poster#1 · 1 changed · only the beginning"), "{shown}");
    assert!(shown.contains("~ a.py") && shown.contains("+3 -1"), "{shown}");
    press(&mut model, "enter");
    let shown = screen(&mut model, 100, 30);
    assert!(shown.contains("+ y = \"z\"") && shown.contains("damaged here") && shown.contains("+ z z"));
    press(&mut model, "esc esc esc");

    let other = "--- a/A\n+++ b/A\n@@ -1 +1 @@\n-a\n+b\n".to_owned() + patch;
    let two = [(5, patch), (6, &other)].map(|(number, text)| Asset {
        value: Value::from(text),
        run: format!("poster#{number}"),
        ..asset(number, &of, "diff", AssetKind::Text)
    });
    model.layers.push(Compare::of_products(two.to_vec()).into());
    press(&mut model, "enter");
    for asset in &two {
        let text = asset.value.as_text().unwrap().to_owned();
        response(&mut model, Response::Text(asset.id, text));
    }
    let shown = screen(&mut model, 100, 30);
    let at = |text: &str| shown.find(text).unwrap_or_else(|| panic!("{text}: {shown}"));
    assert!(at("poster#6 · A ") < at("poster#5 · a.py") && at("poster#5 · a.py") < at("poster#6 · a.py"));
    press(&mut model, "esc esc");

    let text = Value::from(patch);
    let made = Asset { value: text, ..asset(2, &of, "diff", AssetKind::Text) };
    let id = made.id;
    model.layers.push(Viewer::new(made).into());
    press(&mut model, "enter");
    response(&mut model, Response::Text(id, patch.to_owned()));
    assert!(screen(&mut model, 100, 30).contains("~ a.py"));
    press(&mut model, "esc esc");

    let made = Asset { name: "site".into(), ..asset(3, &of, "build", AssetKind::Dir) };
    model.layers.push(Viewer::new(made.clone()).into());
    press(&mut model, "enter");
    response(&mut model, Response::Manifest(made.id, folder(&[("index.html", "<h1>"), ("a/b", "x")])));
    assert!(screen(&mut model, 100, 30).contains("site of poster#1 · 2 files"));
    let effects = press(&mut model, "enter");
    let Some(Effect::GetFile(folder, hash)) =
        effects.into_iter().find(|it| matches!(it, Effect::GetFile(..)))
    else {
        panic!("the file is requested");
    };
    response(&mut model, Response::File(folder, hash, FileText::Text("<h1>".to_owned())));
    assert!(screen(&mut model, 100, 30).contains("  <h1>"));
    press(&mut model, "esc esc enter");
    let made = asset(4, &of, "poster", AssetKind::Number);
    model.layers.push(Viewer::new(made).into());
    press(&mut model, "enter");
    assert!(model.layers.last().is_some_and(|layer| layer.is::<Viewer>()), "a number has no files");
}
