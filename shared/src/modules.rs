//! The modules of a crate and their uses of each other, for tests that the modules form layers without cycles.

use std::collections::{BTreeMap, BTreeSet};
use std::io;
use std::path::Path;

/// Returns the modules beneath `parent` that use each other in a cycle, each with those that it uses. Sources are in
/// `folder`; modules with a name in `of_tests` are left out, because code for tests may use anything.
///
/// # Errors
/// If a source can't be read.
pub fn cycles(folder: &Path, parent: &[&str], of_tests: &[&str]) -> io::Result<Vec<String>> {
    let mut uses: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
    let beneath = parent.iter().fold(folder.to_owned(), |path, name| path.join(name));
    let parent: Vec<String> = parent.iter().map(|it| (*it).to_owned()).collect();
    read(&beneath, &parent, of_tests, &mut |module, text| {
        let name = &module[parent.len()];
        let used = paths(text).into_iter().filter_map(|path| absolute(&path, module));
        let used = used.filter_map(|path| path.strip_prefix(&parent[..])?.first().cloned());
        uses.entry(name.clone()).or_default().extend(used.filter(|it| it != name));
    })?;
    // Remove modules that use none of the remaining ones; a cycle is never removed.
    let is_free = |others: &BTreeSet<String>, uses: &BTreeMap<String, BTreeSet<String>>| {
        others.iter().all(|it| !uses.contains_key(it))
    };
    while let Some(free) = uses.iter().find(|it| is_free(it.1, &uses)).map(|it| it.0.clone()) {
        uses.remove(&free);
    }
    let words = |(module, others): (&String, &BTreeSet<String>)| {
        let others: Vec<&str> =
            others.iter().filter(|it| uses.contains_key(*it)).map(String::as_str).collect();
        format!("{module} uses {}", others.join(", "))
    };
    Ok(uses.iter().map(words).collect())
}

/// Returns the cycles of a crate and of each of its modules, with the module, whose path begins with `name`; in the order
/// of these paths. See [`cycles`].
///
/// # Errors
/// If a source can't be read.
pub fn all_cycles(folder: &Path, name: &str, of_tests: &[&str]) -> io::Result<Vec<(String, Vec<String>)>> {
    let mut parents = vec![Vec::new()];
    folders(folder, &[], of_tests, &mut parents)?;
    parents.sort();
    let mut found = Vec::new();
    for parent in parents {
        let path: Vec<&str> = parent.iter().map(String::as_str).collect();
        let cycles = cycles(folder, &path, of_tests)?;
        if !cycles.is_empty() {
            found.push(([&[name], &path[..]].concat().join("/"), cycles));
        }
    }
    Ok(found)
}

/// Adds the paths of the folders in a folder, at any depth.
fn folders(
    folder: &Path,
    path: &[String],
    of_tests: &[&str],
    found: &mut Vec<Vec<String>>,
) -> io::Result<()> {
    for entry in std::fs::read_dir(folder)? {
        let entry = entry?;
        let name = entry.file_name().to_string_lossy().into_owned();
        if entry.file_type()?.is_dir() && !of_tests.contains(&name.as_str()) {
            let inner = [path, &[name]].concat();
            folders(&entry.path(), &inner, of_tests, found)?;
            found.push(inner);
        }
    }
    Ok(())
}

/// Passes each source of a folder on, with the path of its module.
fn read(
    folder: &Path,
    module: &[String],
    of_tests: &[&str],
    each: &mut impl FnMut(&[String], &str),
) -> io::Result<()> {
    for entry in std::fs::read_dir(folder)? {
        let path = entry?.path();
        let name = path.file_stem().unwrap_or_default().to_string_lossy().into_owned();
        // The root declares the modules, and uses them all.
        if of_tests.contains(&name.as_str()) || module.is_empty() && (name == "lib" || name == "main") {
            continue;
        }
        let inner = [module, &[name]].concat();
        if path.is_dir() {
            read(&path, &inner, of_tests, each)?;
        } else if path.extension().is_some_and(|it| it == "rs") {
            each(&inner, &std::fs::read_to_string(&path)?);
        }
    }
    Ok(())
}

/// Returns the paths in a source that begin with `crate` or `super`, outside of comments and tests.
fn paths(text: &str) -> Vec<Vec<String>> {
    let code = text.split("#[cfg(test)]\nmod tests {").next().unwrap_or_default();
    let code: String =
        code.lines().flat_map(|line| [line.split("//").next().unwrap_or_default(), "\n"]).collect();
    let mut found = Vec::new();
    for start in ["crate::", "super::"] {
        for (at, _) in code.match_indices(start) {
            // `super::super::` is one path, and `macro_crate::` another word.
            let before = code[..at].chars().next_back();
            if !before.is_some_and(|it| it == ':' || it == '_' || it.is_alphanumeric()) {
                tree(&code[at..], Vec::new(), &mut found);
            }
        }
    }
    found
}

/// Adds the paths of a tree such as `crate::a::{b, c::d}`. Returns the text after it.
fn tree<'a>(mut text: &'a str, mut path: Vec<String>, found: &mut Vec<Vec<String>>) -> &'a str {
    loop {
        text = text.trim_start();
        if let Some(inner) = text.strip_prefix('{') {
            text = inner;
            loop {
                // What follows a path is `as` with a name, or nothing.
                text = tree(text, path.clone(), found).trim_start_matches(|it| it != ',' && it != '}');
                match text.strip_prefix(',') {
                    Some(rest) => text = rest,
                    None => return text.strip_prefix('}').unwrap_or(text),
                }
            }
        }
        let end = text.find(|it: char| it != '_' && !it.is_alphanumeric()).unwrap_or(text.len());
        let (name, rest) = text.split_at(end);
        if !name.is_empty() {
            path.push(name.to_owned());
        }
        match rest.strip_prefix("::").filter(|_| !name.is_empty()) {
            Some(rest) => text = rest,
            None => {
                found.push(path);
                return rest;
            }
        }
    }
}

/// Returns a path from the root of the crate.
fn absolute(path: &[String], module: &[String]) -> Option<Vec<String>> {
    let up = path.iter().take_while(|it| *it == "super").count();
    if up == 0 {
        return Some(path.strip_prefix(&["crate".to_owned()])?.to_vec());
    }
    let base = &module[..module.len().checked_sub(up)?];
    Some([base, &path[up..]].concat())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(files: &[(&str, &str)], parent: &[&str]) -> Vec<String> {
        let folder = tempfile::tempdir().unwrap();
        for (name, text) in files {
            let path = folder.path().join(name);
            std::fs::create_dir_all(path.parent().unwrap()).unwrap();
            std::fs::write(path, text).unwrap();
        }
        cycles(folder.path(), parent, &["tests"]).unwrap()
    }

    #[test]
    fn modules_that_use_each_other_are_named() {
        let files = [
            ("lib.rs", "mod a; mod b; mod c;"),
            ("a.rs", "use crate::{c, b::{Thing as Other, more}};"),
            ("b.rs", "mod inner;"),
            ("b/inner.rs", "fn f() { super::super::a::g() }"),
            ("c.rs", "// use crate::a;\n#[cfg(test)]\nmod tests {\n use crate::a; }"),
            ("c/tests.rs", "use crate::a;"),
        ];
        assert_eq!(of(&files, &[]), ["a uses b", "b uses a"]);
    }

    #[test]
    fn only_modules_beneath_the_parent_count() {
        let files = [("ui/a.rs", "use super::b; use crate::other;"), ("ui/b.rs", "use crate::ui::Thing;")];
        assert!(of(&files, &["ui"]).is_empty());
        let files =
            [("ui/a.rs", "use super::b;"), ("ui/b.rs", "pub(in crate::ui) use crate::ui::{self, a};")];
        assert_eq!(of(&files, &["ui"]), ["a uses b", "b uses a"]);
    }
}
