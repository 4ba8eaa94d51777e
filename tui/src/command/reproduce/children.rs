//! The files of the workflows that the workflow of a recipe starts. They come from the recipe: in this home other files, or none,
//! may be where it names them.

use std::collections::HashMap;
use std::path::{Component, Path, PathBuf};

use fanlight_shared::document::children;
use fanlight_shared::lineage::{ChildDocument, RunOf};
use fanlight_shared::node_type::Catalogue;
use fanlight_shared::rpc::runs::SentFile;
use fanlight_shared::sanitise;
use fanlight_shared::workflow::Workflow;

use crate::failure::Failure;

/// The files of the workflows that a workflow starts.
#[derive(Default)]
pub(super) struct Children {
    /// As they are submitted.
    pub(super) sent: Vec<SentFile>,
    /// How many commands they have.
    pub(super) commands: usize,
    /// Those of them that are from the recipe.
    pub(super) of_recipe: Vec<String>,
}

/// Returns the files that a workflow starts, itself or through others, if its own file is at `path`.
///
/// # Errors
/// The recipe doesn't have one of them, and it isn't here either.
pub(super) fn find(
    workflow: &Workflow,
    path: &Path,
    of: &RunOf,
    recipe: &[ChildDocument],
    catalogue: &Catalogue,
) -> Result<Children, Failure> {
    // Where a file of this home, or one that it could have, was in the home of the recipe.
    let mut places = HashMap::from([(path.to_owned(), of.path.clone().unwrap_or_default())]);
    let mut found = Children::default();
    let mut open = |asked: &Path| {
        let text = |path: &Path| path.to_str().map(str::to_owned).ok_or("is not a path in UTF-8");
        let name = text(asked)?;
        let named = recipe.iter().find(|child| {
            places.iter().any(|(here, there)| {
                *there == child.reader && here.parent().unwrap_or(here).join(&child.name) == asked
            })
        });
        let (path, document) = match named {
            Some(child) => {
                let path = normal(asked);
                if *places.entry(path.clone()).or_insert_with(|| child.path.clone()) != child.path {
                    return Err("is two different files in the recipe, because of a link".to_owned());
                }
                found.of_recipe.push(child.document.clone());
                (path, child.document.clone())
            }
            None => {
                // The folder of the recipe's own file may not exist yet.
                let here = if asked.exists() { asked.to_owned() } else { normal(asked) };
                if !here.exists() {
                    return Err(format!("is not in the recipe; copy the file to {}", here.display()));
                }
                children::open(&here)?
            }
        };
        if !found.sent.iter().any(|file| file.name == name) {
            found.sent.push(SentFile { name, path: text(&path)?, document: document.clone() });
        }
        Ok((path, document))
    };
    let read = children::read(workflow, Some(path), catalogue, &mut open).map_err(|problems| {
        let first = problems.first().map(|problem| problem.message.clone()).unwrap_or_default();
        Failure::failed(sanitise::line(&first))
    })?;
    let workflows: HashMap<&str, &Workflow> =
        read.iter().map(|file| (file.path.as_str(), &file.workflow)).collect();
    found.commands = workflows.values().map(|workflow| commands(workflow)).sum();
    Ok(found)
}

/// Returns how many commands a workflow has.
pub(super) fn commands(workflow: &Workflow) -> usize {
    workflow.nodes.values().filter(|node| node.action.is_command()).count()
}

/// Returns an absolute path without `.` and `..`, of a file that need not exist.
fn normal(path: &Path) -> PathBuf {
    let mut normal = PathBuf::new();
    for part in path.components() {
        match part {
            Component::ParentDir => {
                normal.pop();
            }
            Component::CurDir => {}
            part => normal.push(part),
        }
    }
    normal
}

#[cfg(test)]
mod tests {
    use fanlight_shared::id::{RunId, Version};
    use fanlight_shared::time::Time;

    use super::*;
    use crate::embedded;

    const TOP: &str = "nodes: { page: { uses: workflow.run, with: { workflow: ../shared/./page.yaml } } }";
    const PAGE: &str = "nodes: { said: { run: echo page } }";

    fn found(recipe: &[ChildDocument], path: &Path) -> Result<Children, Failure> {
        let catalogue = embedded::catalogue();
        let workflow = fanlight_shared::document::read(TOP, &catalogue).unwrap().workflow;
        let of = RunOf {
            id: RunId::new(),
            name: "top#1".into(),
            title: "top".into(),
            version: Version::of(TOP),
            path: Some("/ada/top/top.yaml".into()),
            document: Some(TOP.into()),
            params: indexmap::IndexMap::new(),
            params_short: false,
            label: String::new(),
            submitted_at: Time(0),
            parent: None,
            made_with: None,
            deleted: false,
        };
        find(&workflow, path, &of, recipe, &catalogue)
    }

    #[test]
    fn a_file_is_from_the_recipe_or_from_here_or_named() {
        let temp = tempfile::tempdir().unwrap();
        let home = temp.path().canonicalize().unwrap();
        let (top, page) = (home.join("top/top.yaml"), home.join("shared/page.yaml"));
        let Err(missing) = found(&[], &top) else { panic!("there is no file") };
        let place = format!("is not in the recipe; copy the file to {}", page.display());
        assert!(format!("{missing:?}").contains(&place), "{missing:?}");

        let child = ChildDocument {
            reader: "/ada/top/top.yaml".into(),
            name: "../shared/./page.yaml".into(),
            path: "/ada/shared/page.yaml".into(),
            document: PAGE.into(),
        };
        let children = found(&[child], &top).unwrap();
        assert_eq!((children.sent.len(), children.commands), (1, 1));
        assert_eq!(children.sent[0].path, page.to_str().unwrap());
        assert_eq!(children.of_recipe, [PAGE]);

        std::fs::create_dir(home.join("shared")).unwrap();
        std::fs::write(&page, PAGE).unwrap();
        let children = found(&[], &top).unwrap();
        assert_eq!((children.sent[0].document.as_str(), children.of_recipe.len()), (PAGE, 0));
    }
}
