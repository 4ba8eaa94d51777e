//! Tests that the modules of this crate form layers without cycles, and those of the crate `shared`.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

/// Modules that are compiled only for tests, which may use anything.
const TEST_MODULES: [&str; 4] = ["tests", "fake", "fixture", "modules"];

/// The modules of a crate, each with the others that it uses.
type Uses = BTreeMap<String, BTreeSet<String>>;

/// Adds the source files at a path.
fn add_sources(path: &Path, found: &mut Vec<PathBuf>) {
    let stem = path.file_stem().and_then(|it| it.to_str()).unwrap_or_default();
    if TEST_MODULES.contains(&stem) {
        return;
    }
    match std::fs::read_dir(path) {
        Ok(entries) => entries.flatten().for_each(|entry| add_sources(&entry.path(), found)),
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

/// Returns the modules of the crate with these sources.
fn uses(sources: &Path) -> Uses {
    let list = std::fs::read_to_string(sources.join("lib.rs")).unwrap();
    let modules = list
        .lines()
        .filter_map(|line| line.trim_start_matches("pub ").strip_prefix("mod ")?.strip_suffix(';'))
        .filter(|name| !TEST_MODULES.contains(name));
    modules
        .map(|module| {
            let mut files = Vec::new();
            add_sources(&sources.join(format!("{module}.rs")), &mut files);
            add_sources(&sources.join(module), &mut files);
            let all = files.iter().flat_map(|file| used(&std::fs::read_to_string(file).unwrap()));
            (module.to_owned(), all.filter(|other| other != module).collect())
        })
        .collect()
}

/// Returns the modules that are part of a cycle, or use one that is: `a uses b`.
fn cycles(mut uses: Uses) -> Vec<String> {
    // Remove modules that use none of the remaining ones; a cycle is never removed.
    while let Some((free, _)) = uses.iter().find(|(_, others)| !others.iter().any(|it| uses.contains_key(it)))
    {
        let free = free.clone();
        uses.remove(&free);
    }
    uses.iter()
        .map(|(module, others)| {
            let others: Vec<&str> =
                others.iter().map(String::as_str).filter(|it| uses.contains_key(*it)).collect();
            format!("{module} uses {}", others.join(", "))
        })
        .collect()
}

#[test]
fn no_module_uses_one_that_uses_it() {
    let workspace = Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap();
    for name in ["daemon", "shared"] {
        let uses = uses(&workspace.join(name).join("src"));
        assert!(uses.len() > 10, "{name}: {:?}", uses.keys());
        let cycles = cycles(uses);
        assert!(cycles.is_empty(), "{name}: {}", cycles.join("; "));
    }
}

#[test]
fn a_cycle_is_found_with_the_modules_that_form_it() {
    let uses = [("bottom", ""), ("left", "right"), ("right", "bottom left"), ("top", "bottom")];
    let uses = uses
        .map(|(module, others)| (module.to_owned(), others.split_whitespace().map(str::to_owned).collect()));
    assert_eq!(cycles(Uses::from(uses)), ["left uses right", "right uses left"]);
}
