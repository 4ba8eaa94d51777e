use std::collections::HashMap;

use super::*;
use crate::node_type::NodeTypeSpec;

/// Returns a catalogue with the only type that matters here.
fn catalogue() -> Catalogue {
    let spec = serde_json::json!({
        "name": RUN_TYPE, "summary": "Runs.", "version": 1, "effects": "idempotent", "place": "executor",
        "inputs": { "workflow": { "type": "text", "summary": "The file." } }, "more_inputs": true,
        "outputs": { "outputs": { "type": "any", "summary": "Its outputs." } }, "declared_outputs": "any",
    });
    let spec: NodeTypeSpec = serde_json::from_value(spec).unwrap();
    [spec].into_iter().collect()
}

/// Reads the first of these files and those that it leads to. Returns their names, or the first problem.
fn reached(files: &[(&str, &str)]) -> Result<Vec<String>, String> {
    let catalogue = catalogue();
    let known: HashMap<PathBuf, &str> =
        files.iter().map(|(name, text)| (Path::new("/w").join(name), *text)).collect();
    let mut open = |path: &Path| {
        known.get(path).map(|text| (path.to_owned(), (*text).to_owned())).ok_or("does not exist".to_owned())
    };
    let workflow = crate::document::read(files[0].1, &catalogue).unwrap().workflow;
    let path = Path::new("/w").join(files[0].0);
    let found = read(&workflow, Some(&path), &catalogue, &mut open);
    match found {
        Ok(found) => Ok(found.into_iter().map(|file| file.path).collect()),
        Err(problems) => Err(problems[0].message.clone()),
    }
}

fn runs(names: &[&str]) -> String {
    let nodes = names.iter().enumerate();
    let node = |(at, name)| format!("  n{at}: {{ uses: workflow.run, with: {{ workflow: {name} }} }}\n");
    format!("nodes:\n{}", nodes.map(node).collect::<String>())
}

const LEAF: &str = "nodes: { a: { run: 'true' } }";

#[test]
fn a_file_that_several_nodes_run_is_one_file() {
    let top = runs(&["a.yaml", "b.yaml", "a.yaml"]);
    let both = runs(&["c.yaml"]);
    let found = reached(&[("top.yaml", &top), ("a.yaml", &both), ("b.yaml", &both), ("c.yaml", LEAF)]);
    assert_eq!(found.unwrap(), ["/w/a.yaml", "/w/c.yaml", "/w/b.yaml", "/w/c.yaml"]);
}

#[test]
fn the_depth_is_that_of_the_longest_way() {
    let names: Vec<String> = (0..9).map(|at| format!("f{at}.yaml")).collect();
    let mut files: Vec<(String, String)> = names
        .windows(2)
        .map(|pair| (pair[0].clone(), runs(&[&pair[1]])))
        .chain([(names[8].clone(), LEAF.to_owned())])
        .collect();
    // A short way to the middle comes first.
    files[0].1 = runs(&["f6.yaml", "f1.yaml"]);
    let files: Vec<(&str, &str)> = files.iter().map(|(name, text)| (name.as_str(), text.as_str())).collect();
    let error = reached(&files).unwrap_err();
    assert!(error.ends_with("`f8.yaml` is too deep: runs start runs at most 8 deep"), "{error}");
    assert_eq!(reached(&files[1..]).unwrap().len(), 7);
}

#[test]
fn a_document_without_a_file_runs_no_others() {
    let catalogue = catalogue();
    let workflow = crate::document::read(&runs(&["a.yaml"]), &catalogue).unwrap().workflow;
    let problems = read(&workflow, None, &catalogue, &mut |_| Err("is not read".to_owned())).unwrap_err();
    assert_eq!(
        problems[0].message,
        "node `n0` runs `a.yaml`, but this document has no file that this could be relative to"
    );
    assert_eq!(problems[0].node.as_deref(), Some("n0"));
}

#[test]
fn variables_are_passed_by_the_file_that_runs_another_one() {
    let child = "pass_env: [TOKEN]\nnodes: { a: { run: 'true' } }";
    let top = runs(&["a.yaml"]);
    let error = reached(&[("top.yaml", &top), ("a.yaml", child)]).unwrap_err();
    assert!(error.contains("takes the variable `TOKEN`; add it to `pass_env:`"), "{error}");
    let top = format!("pass_env: [TOKEN]\n{top}");
    assert_eq!(reached(&[("top.yaml", &top), ("a.yaml", child)]).unwrap(), ["/w/a.yaml"]);
}
