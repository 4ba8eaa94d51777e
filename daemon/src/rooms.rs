//! Tests that the modules of this crate form layers, without cycles.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

/// Code that is only compiled for tests may use anything.
const OF_TESTS: [&str; 4] = ["tests", "fake", "fixture", "rooms"];

fn sources(path: &Path, found: &mut Vec<PathBuf>) {
    let stem = path.file_stem().and_then(|it| it.to_str()).unwrap_or_default();
    if OF_TESTS.contains(&stem) {
        return;
    }
    match std::fs::read_dir(path) {
        Ok(entries) => entries.flatten().for_each(|entry| sources(&entry.path(), found)),
        Err(_) if path.is_file() => found.push(path.to_owned()),
        Err(_) => {}
    }
}

/// Returns the modules that the text names by `crate::`, outside of comments and tests.
fn used(text: &str) -> BTreeSet<String> {
    let code = text.split("#[cfg(test)]\nmod tests {").next().unwrap_or_default();
    let lines = code.lines().map(|line| line.split("//").next().unwrap_or_default());
    lines
        .flat_map(|line| line.split("crate::").skip(1))
        .map(|after| {
            after.split(|c: char| c != '_' && !c.is_alphanumeric()).next().unwrap_or_default().to_owned()
        })
        .collect()
}

#[test]
fn no_module_uses_one_that_uses_it() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
    let list = std::fs::read_to_string(folder.join("lib.rs")).unwrap();
    let modules: Vec<&str> = list
        .lines()
        .filter_map(|line| line.trim_start_matches("pub ").strip_prefix("mod ")?.strip_suffix(';'))
        .filter(|name| !OF_TESTS.contains(name))
        .collect();
    assert!(modules.len() > 10, "{modules:?}");
    let mut uses: BTreeMap<&str, BTreeSet<String>> = BTreeMap::new();
    for module in &modules {
        let mut files = Vec::new();
        sources(&folder.join(format!("{module}.rs")), &mut files);
        sources(&folder.join(module), &mut files);
        let all = files.iter().flat_map(|file| used(&std::fs::read_to_string(file).unwrap()));
        uses.insert(module, all.filter(|other| other != module).collect());
    }
    // Remove modules that use none of the remaining ones; a cycle is never removed.
    while let Some(free) =
        uses.iter().find(|(_, others)| others.iter().all(|it| !uses.contains_key(it.as_str())))
    {
        let free = *free.0;
        uses.remove(free);
    }
    let circle: Vec<String> = uses
        .iter()
        .map(|(module, others)| {
            let others: Vec<&str> =
                others.iter().map(String::as_str).filter(|it| uses.contains_key(it)).collect();
            format!("{module} uses {}", others.join(", "))
        })
        .collect();
    assert!(circle.is_empty(), "{}", circle.join("; "));
}
