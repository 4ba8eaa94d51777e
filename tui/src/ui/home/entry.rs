//! The entries of home.

use std::collections::HashSet;
use std::path::PathBuf;

use fanlight_shared::rpc::workflows::WorkflowInfo;
use fanlight_shared::sanitise;

use crate::ui::document::Source;
use crate::ui::model::Options;

/// A part of the list.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Section {
    Folder,
    Recent,
    Examples,
}

impl Section {
    pub(super) const ALL: [Self; 3] = [Self::Folder, Self::Recent, Self::Examples];

    pub(super) fn title(self) -> &'static str {
        match self {
            Self::Folder => "This folder",
            Self::Recent => "Recent",
            Self::Examples => "Examples",
        }
    }
}

/// One workflow to choose.
#[derive(Clone, PartialEq, Debug)]
pub(super) struct Entry {
    pub(super) section: Section,
    pub(super) source: Source,
    pub(super) name: String,
    /// How many runs it has, where that is known.
    pub(super) runs: Option<u32>,
}

/// Returns all entries, each workflow once.
pub(super) fn entries(files: &[PathBuf], known: &[WorkflowInfo], options: &Options) -> Vec<Entry> {
    let mut shown: HashSet<String> = HashSet::new();
    let mut entries = Vec::new();
    for path in files {
        let text = path.to_string_lossy().into_owned();
        let below = path.strip_prefix(&options.folder).unwrap_or(path);
        let runs = known.iter().find(|it| it.path.as_deref() == Some(&text)).map(|it| it.runs);
        entries.push(Entry {
            section: Section::Folder,
            source: Source::File(path.clone()),
            name: sanitise::line(&below.to_string_lossy()),
            runs,
        });
        shown.insert(text);
    }
    for workflow in known {
        if workflow.path.as_ref().is_some_and(|path| shown.contains(path)) {
            continue;
        }
        entries.push(Entry {
            section: Section::Recent,
            source: Source::Stored(workflow.id),
            name: sanitise::line(&workflow.slug),
            runs: Some(workflow.runs),
        });
    }
    entries.extend(options.examples.iter().map(|name| Entry {
        section: Section::Examples,
        source: Source::Example(name.clone()),
        name: name.clone(),
        runs: None,
    }));
    entries
}
