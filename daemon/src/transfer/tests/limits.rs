//! Archives that hold more than a daemon takes.

use fanlight_shared::id::BlobHash;

use super::super::limit::{MAX_PARTS, MAX_WHOLE_BYTES};
use super::*;

/// Returns the number of the line of the value of a port.
fn line_of(files: &[File], run: &str, port: &str) -> usize {
    let file = files.iter().find(|file| file.name == run).unwrap();
    let text = String::from_utf8(file.bytes.clone()).unwrap();
    let is_value = |line: &str| serde_json::from_str::<Json>(line).unwrap()["value"]["port"] == port;
    text.lines().position(is_value).unwrap()
}

#[test]
fn a_value_and_a_list_of_files_that_would_fill_the_memory_are_refused() {
    let (mut good, run) = archive();
    let blob = vec![b' '; MAX_WHOLE_BYTES as usize + 1];
    let hash = BlobHash::of(&blob);
    manifest(&mut good, |it| {
        it["blobs"]["count"] = json!(it["blobs"]["count"].as_u64().unwrap() + 1);
        it["blobs"]["bytes"] = json!(it["blobs"]["bytes"].as_u64().unwrap() + blob.len() as u64);
    });
    good.push(File::new(&format!("blobs/{hash}"), blob));
    let (mut value, mut folder) = (good.clone(), good);
    let (text, image) = (line_of(&value, &run, "text"), line_of(&value, &run, "image"));
    change(&mut value, &run, text, |it| it["value"]["large"] = json!(hash));
    change(&mut folder, &run, image, |it| {
        it["value"]["value"]["$media"]["kind"] = json!("dir");
        it["value"]["value"]["$media"]["hash"] = json!(hash);
    });
    for (files, what) in [(value, "the value in"), (folder, "the list of files in")] {
        let mut at = Fixture::new();
        let says = refusal(&at, at.imports(&files));
        assert!(says.contains(what) && says.contains("MB are read"), "{says}");
        at.reopen();
        at.has_nothing();
    }
}

#[test]
fn a_value_that_no_import_reads_is_not_exported() {
    let at = Fixture::new();
    let run = at.submit(1).remove(0);
    at.completes(&run, &vec![1; MAX_WHOLE_BYTES as usize + 1]);
    let outcome = export(&at.store, &at.home, &[run.id], false).map(drop);
    assert!(outcome.unwrap_err().to_string().contains("an archive holds values of at most"));
}

#[test]
fn runs_with_more_parts_than_an_import_takes_are_neither_exported_nor_imported() {
    let (mut files, run) = archive();
    let mut announced = files.clone();
    manifest(&mut announced, |it| it["runs"][0]["events"] = json!(MAX_PARTS));
    let at = Fixture::new();
    assert!(refusal(&at, at.imports(&announced[..1])).contains("export the runs in several archives"));
    at.has_nothing();
    // A manifest does not count the points.
    let file = files.iter_mut().find(|file| file.name == run).unwrap();
    let text = String::from_utf8(file.bytes.clone()).unwrap();
    let points = text.lines().find(|line| line.starts_with("{\"points\"")).unwrap();
    let mut points: Json = serde_json::from_str(points).unwrap();
    points["points"]["points"] = json!([]);
    file.bytes.extend(format!("{points}\n").repeat(MAX_PARTS as usize).into_bytes());
    let bytes = file.bytes.len();
    manifest(&mut files, |it| it["runs"][0]["bytes"] = json!(bytes));
    assert!(refusal(&at, at.imports(&files)).contains("export the runs in several archives"));
    at.has_nothing();

    let run = at.submit(1).remove(0);
    at.completes(&run, b"picture");
    let value = |number| values(run.id, "sky", &format!("text{number}"), Value::from("x"));
    at.commit((0..MAX_PARTS).map(value).collect());
    let outcome = export(&at.store, &at.home, &[run.id], false).map(drop);
    assert!(outcome.unwrap_err().to_string().contains("export the runs in several archives"));
}
